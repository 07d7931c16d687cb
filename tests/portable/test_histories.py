"""Published acks that need a state (vectors/wire/histories.json), and messages at the limits of size."""

from agent.acks import AckReader
from agent.segment import Record
from agent.wire import cbor, cose, frame
from agent.wire.errors import WireError
from tests.portable.test_spool import folder, spool_in
from tests.portable.test_vectors import load

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

    from agent.spool import Spool

_HISTORIES = "histories.json"


def spool_of(history: "dict[str, Any]") -> "Spool":
    """Return the spool of the examples: what was sealed since the start, and what waits of before."""
    spool = spool_in(folder())
    for boot, incarnation, count in ((1, "earlier", "waiting"), (2, "running", "sealed")):
        for seq in range(history[count]):
            key = bytes.fromhex(history[incarnation])
            spool.add(Record("data", boot, key, seq, "vigia/v1/a/mx-001/data", b"frame"))
    return spool


def reader_of(history: "dict[str, Any]", spool: "Spool") -> AckReader:
    """Return the reader of a device that runs under the last key and knows the first."""
    keys = {bytes.fromhex(key["kid"]): bytes.fromhex(key["ack_key"]) for key in history["keys"]}
    kid = bytes.fromhex(history["keys"][-1]["kid"])
    return AckReader(keys.pop(kid), kid, bytes.fromhex(history["running"]), spool, keys)


def test_what_an_ack_settles_on_the_device():
    history = load(_HISTORIES)
    assert len(history["device"]) > 15
    for each in history["device"]:
        spool = spool_of(history)
        reader = reader_of(history, spool)
        verdict = reader.read(each["topic"], bytes.fromhex(each["message"]), history["sealed"])
        assert verdict.trouble == each["trouble"], (each["name"], verdict.trouble)
        stored = {"running": [], "earlier": []}  # type: dict[str, list[int]]
        for entry in verdict.stored:
            whose = "running" if entry.incarnation.hex() == history["running"] else "earlier"
            stored[whose].append(entry.seq)
        assert stored == {"running": each["running"], "earlier": each["earlier"]}, each["name"]
        assert [entry.seq for entry, _ in verdict.refused] == each["refused"], each["name"]


def test_messages_at_the_limits_of_size():
    content = load("limits.json")
    ack_key = bytes.fromhex(content["keys"][0]["ack_key"])
    for each in content["messages"]:
        message = bytes.fromhex(each["message"]) + bytes(each["zeros"]) + bytes.fromhex(each["tail"])
        reason = "valid"
        try:
            if each["topic"].endswith("/ack"):
                frame.check_ack(cbor.decode(cose.open_mac0(ack_key, each["topic"].encode(), message)[1]))
            else:
                frame.check_payload("data", cbor.decode(cose.parse_sign1(message)[2]))
        except WireError as error:
            reason = error.reason
        assert reason == each["expect"], each["name"]
