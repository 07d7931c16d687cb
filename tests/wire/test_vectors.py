"""The published examples: remade by their script, and judged with cryptography instead of our own signer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from agent.wire import cose, mac
from tests.vectors import __main__ as script
from tests.vectors import make_wire

FOLDER = script.HERE / "wire"
FRAMES = json.loads((FOLDER / "frames.json").read_text(encoding="utf-8"))
ACKS = json.loads((FOLDER / "acks.json").read_text(encoding="utf-8"))
KEYS = {key["kid"]: serialization.load_der_public_key(bytes.fromhex(key["spki"])) for key in FRAMES["keys"]}
# refused before the signature is looked at
UNSIGNED = {"bad_topic", "unknown_key"}


def test_the_script_makes_the_files() -> None:
    made = script.files()
    assert sorted(made) == sorted(path.name for path in FOLDER.iterdir())
    for name, text in made.items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text


@pytest.mark.parametrize("examples", [FRAMES["frames"], ACKS["acks"]], ids=["frames", "acks"])
def test_names_are_distinct(examples: list[dict[str, Any]]) -> None:
    names = [example["name"] for example in examples]
    assert len(set(names)) == len(names)


def verifies(example: dict[str, Any]) -> bool:
    kid, header, payload, signature = cose.parse_sign1(bytes.fromhex(example["message"]))
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    key = KEYS[kid.hex()]
    assert isinstance(key, ec.EllipticCurvePublicKey)
    structure = cose.to_sign(header, example["topic"].encode(), payload)
    try:
        key.verify(encode_dss_signature(r, s), structure, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize("example", FRAMES["frames"], ids=lambda example: example["name"])
def test_signatures(example: dict[str, Any]) -> None:
    if example["expect"] in UNSIGNED or example["name"] in envelopes():
        return
    moved = example["name"] == "moved to another device"
    assert verifies(example) == (example["expect"] != "bad_signature" and not moved)


def envelopes() -> set[str]:
    return {example["name"] for example in make_wire.bad_envelopes()}


def test_every_reason_of_the_wire_is_shown() -> None:
    shown = {example["expect"] for example in FRAMES["frames"] + ACKS["acks"]}
    assert shown == {
        "valid",
        "bad_topic",
        "malformed",
        "unknown_key",
        "wrong_device",
        "bad_signature",
        "bad_payload",
        "wrong_kind",
        "wrong_mac",
    }


def test_ack_keys_come_from_the_secret() -> None:
    for key in ACKS["keys"]:
        derived = mac.ack_key(bytes.fromhex(ACKS["ack_secret"]), bytes.fromhex(key["kid"]))
        assert derived.hex() == key["ack_key"]


def test_the_limits_are_those_of_the_contract() -> None:
    for each in json.loads((FOLDER / "limits.json").read_text(encoding="utf-8"))["messages"]:
        limit = cose.MAX_ACK_BYTES if each["topic"].endswith("/ack") else cose.MAX_BYTES
        length = len(each["message"]) // 2 + each["zeros"] + len(each["tail"]) // 2
        assert length == limit + (each["expect"] == "oversized"), each["name"]
