"""The published examples (tests/vectors/wire): each is accepted, or refused for the reason it names."""

import hashlib
import json

from agent.wire import cbor, cose, frame, p256, topics
from agent.wire.errors import WireError

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_FOLDER = __file__.replace("\\", "/").rsplit("/", 1)[0] + "/../vectors/wire/"


def load(name: str) -> "Any":
    with open(_FOLDER + name, encoding="utf-8") as file:
        return json.load(file)


def plain(value: object) -> "dict[str, Any]":
    """Return an object's attributes with byte strings in hex, as the examples have them."""
    return {
        name: getattr(value, name).hex() if isinstance(getattr(value, name), bytes) else getattr(value, name)
        for name in value.__dict__
    }


def judge_frame(topic: str, message: bytes, keys: "list[Any]") -> "dict[str, Any]":
    """Go the way of WIRE.md section 6; MicroPython cannot verify, but RFC 6979 lets it sign again."""
    _, device, kind = topics.parse(topic)
    kid, header, payload, signature = cose.parse_sign1(message)
    known = [key for key in keys if key["kid"] == kid.hex()]
    if not known:
        raise WireError("unknown_key", kid.hex())
    if known[0]["device"] != device:
        raise WireError("wrong_device", device)
    digest = hashlib.sha256(cose.to_sign(header, topic.encode(), payload)).digest()
    if p256.sign(bytes.fromhex(known[0]["private"]), digest) != signature:
        raise WireError("bad_signature", kid.hex())
    checked = frame.check_payload(kind, cbor.decode(payload))
    if checked.device != device:
        raise WireError("wrong_device", checked.device)
    return plain(checked)


def judge_ack(topic: str, message: bytes, keys: "list[Any]") -> "dict[str, Any]":
    _, payload = cose.open_mac0(bytes.fromhex(keys[0]["ack_key"]), topic.encode(), message)
    return plain(frame.check_ack(cbor.decode(payload)))


def compare(examples: "list[Any]", keys: "list[Any]", judge: "Callable[..., Any]") -> None:
    for example in examples:
        try:
            found = judge(example["topic"], bytes.fromhex(example["message"]), keys)
            reason = "valid"
        except WireError as error:
            found, reason = None, error.reason
        assert reason == example["expect"], (example["name"], reason)
        assert found == example.get("value"), (example["name"], found)


def test_frames():
    content = load("frames.json")
    assert len(content["frames"]) > 80
    compare(content["frames"], content["keys"], judge_frame)


def test_acks():
    content = load("acks.json")
    compare(content["acks"], content["keys"], judge_ack)


def test_valid_payloads_are_deterministic():
    for example in load("frames.json")["frames"]:
        if example["expect"] == "valid":
            payload = cose.parse_sign1(bytes.fromhex(example["message"]))[2]
            assert cbor.encode(cbor.decode(payload)) == payload, example["name"]
