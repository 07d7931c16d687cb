"""Write the examples that need more than one message or a state, and those too large to print.

``limits.json``: frames and acks at a limit of size and one byte beyond. ``histories.json``: for the centre,
messages in the order of their arrival and what becomes of each; for the device, what it has, an ack, and
what that settles. A message is ``message`` in hex, then as many zero bytes as ``zeros`` says, then ``tail``.
"""

from __future__ import annotations

import hashlib
from typing import Any

from agent.wire import cbor, cose, frame, mac, p256
from tests.vectors.make_wire import (
    DEVICE,
    HEADER,
    INCARNATION,
    KID,
    PRIVATE,
    SECRET,
    TABLE,
    Vector,
    base,
    example,
    seal,
    topic,
)  # fmt: skip

ROTATED = hashlib.sha256(b"the key after the rotation").digest()
ROTATED_KID = cose.key_id(p256.spki(ROTATED))
ROTATED_HEADER = cose.protected(cose.ES256, ROTATED_KID)
LATER = bytes.fromhex("8877665544332211")  # the incarnation after the rotation
WALL = 1_767_225_600_000
FILLER = 14  # an unknown key: ignored, whatever it holds


def keys() -> list[dict[str, Any]]:
    """Return both keys of the device, in order."""
    return [
        {
            "device": DEVICE,
            "kid": cose.key_id(p256.spki(private)).hex(),
            "spki": p256.spki(private).hex(),
            "private": private.hex(),
            "from_ms": from_ms,
            "ack_key": mac.ack_key(SECRET, cose.key_id(p256.spki(private))).hex(),
        }
        for private, from_ms in ((PRIVATE, 0), (ROTATED, WALL))
    ]


# --- limits ---


def limits() -> list[Vector]:
    """Return frames and acks of the largest size, and one byte larger."""
    return [
        _frame("a frame of 65,536 bytes", cose.MAX_BYTES, "valid"),
        _frame("a frame of 65,537 bytes", cose.MAX_BYTES + 1, "oversized"),
        _ack("an ack of 4,096 bytes", cose.MAX_ACK_BYTES, "valid"),
        _ack("an ack of 4,097 bytes", cose.MAX_ACK_BYTES + 1, "oversized"),
    ]


def _envelope(start: bytes, header: bytes, payload: bytes, proof: bytes) -> bytes:
    """Return a message of any size: the encoder of the contract makes none that is too large."""
    return start + cbor.encode(header) + b"\xa0" + cbor.encode(payload) + cbor.encode(proof)


def _frame(name: str, size: int, expect: str) -> Vector:
    where = topic("data")

    def made(filler: int) -> bytes:
        payload = cbor.encode({**base("data"), FILLER: bytes(filler)})
        digest = hashlib.sha256(cose.to_sign(HEADER, where.encode(), payload)).digest()
        return _envelope(b"\xd2\x84", HEADER, payload, p256.sign(PRIVATE, digest))

    return _long(name, expect, where, made(size - len(made(65_000)) + 65_000))


def _ack(name: str, size: int, expect: str) -> Vector:
    where = topic("ack")
    header = cose.protected(cose.HMAC_256_64, KID)

    def made(filler: int) -> bytes:
        value = {1: KID, 2: INCARNATION, 3: [[0, 40]], 4: [], 5: WALL, FILLER: bytes(filler)}
        payload = cbor.encode(value)
        structure = cbor.encode(["MAC0", header, where.encode(), payload])
        return _envelope(
            b"\xd1\x84", header, payload, mac.hmac_sha256(mac.ack_key(SECRET, KID), structure)[:8]
        )

    return _long(name, expect, where, made(size - len(made(4000)) + 4000))


def _long(name: str, expect: str, where: str, message: bytes) -> Vector:
    """Return an entry whose longest run of zeros is not written out."""
    proof = 64 + 2 if where.endswith("data") else 8 + 1
    tail = message[-proof:]
    head = message[:-proof].rstrip(b"\0")
    entry = example(name, expect, where, head)
    return {**entry, "zeros": len(message) - len(head) - len(tail), "tail": tail.hex()}


# --- what the centre makes of several ---


def centre() -> list[dict[str, Any]]:
    """Return messages in the order of their arrival with (outcome, reason) of each."""
    first, second = _data(0), _data(1)
    other = _data(1, {9: [["net", "eth1", ["carrier"], [[0, 0]]]]})
    birth = _step(_sealed("birth", {6: 2, 8: WALL}), "stored")
    fine = ["net", "eth0", ["carrier"], [[0, 1]]]
    return [
        {"name": "replayed", "steps": [_step(first, "stored"), _step(first, "duplicate")]},
        {
            "name": "replayed after newer frames",
            "steps": [_step(first, "stored"), _step(second, "stored"), _step(first, "duplicate")],
        },
        {"name": "a birth replayed", "steps": [birth, {**birth, "outcome": "duplicate"}]},
        {
            "name": "a number used for two contents",
            "steps": [_step(second, "stored"), _step(other, "refused", "seq_reused")],
        },
        {"name": "late, and not lost for it", "steps": [_step(second, "stored"), _step(first, "stored")]},
        {
            "name": "backlog under the key before the rotation",
            "steps": [
                _step(_data(0, private=ROTATED, header=ROTATED_HEADER, incarnation=LATER), "stored"),
                _step(first, "stored"),
                _step(_data(1, private=ROTATED, header=ROTATED_HEADER, incarnation=LATER), "stored"),
                _step(second, "stored"),
            ],
        },
        {
            "name": "backlog put under the new key's name",
            "steps": [_step(_data(0, header=ROTATED_HEADER), "invalid", "bad_signature")],
        },
        {
            "name": "a value out of its range",
            "steps": [_step(_data(0, {9: [_voltage(1e9)]}), "stored", out_of_range=1)],
        },
        {
            "name": "a value at the end of its range",
            "steps": [_step(_data(0, {9: [_voltage(127.0)]}), "stored", out_of_range=0)],
        },
        {
            "name": "a measurement nobody knows beside one that is known",
            "steps": [_step(_data(0, {9: [["brand_new", None, ["f"], [[0, 1]]], fine]}), "stored")],
        },
    ]


def _voltage(value: float) -> list[Any]:
    return ["upsd", "ups", ["input_voltage"], [[0, value]]]


def _sealed(
    kind: str,
    changes: dict[int, Any],
    private: bytes = PRIVATE,
    header: bytes = HEADER,
    incarnation: bytes = INCARNATION,
) -> tuple[str, bytes]:
    value = {**base(kind), 3: incarnation, **changes}
    where = topic(kind)
    return where, seal(where, cbor.encode(value), private, header)


def _data(
    seq: int,
    changes: dict[int, Any] | None = None,
    private: bytes = PRIVATE,
    header: bytes = HEADER,
    incarnation: bytes = INCARNATION,
) -> tuple[str, bytes]:
    own = {4: 12 if incarnation == INCARNATION else 13, 6: seq, 8: WALL + 30_000 * seq, 9: [TABLE]}
    return _sealed("data", {**own, **(changes or {})}, private, header, incarnation)


def _step(sealed: tuple[str, bytes], outcome: str, reason: str = "", **problems: int) -> dict[str, Any]:
    where, message = sealed
    return {
        "topic": where, "message": message.hex(), "outcome": outcome, "reason": reason, "problems": problems
    }  # fmt: skip


# --- what an ack settles on the device ---


def device() -> list[dict[str, Any]]:
    """Return acks for a device that has sealed 5 frames (0-4) since it started and has 3 of before (0-2).

    The ones of before are of ``INCARNATION`` under the first key; it runs as ``LATER`` under the second.
    """
    mine, before, strange = (ROTATED, LATER), (PRIVATE, INCARNATION), hashlib.sha256(b"stranger").digest()
    unknown, alien = "ack_unknown_incarnation", "ack_other_key"
    huge = (1 << 63) - 1
    return [
        _told("stored", mine, [[0, 4]], [], running=[0, 1, 2, 3, 4]),
        _told("stored in part", mine, [[1, 1], [3, 4]], [], running=[1, 3, 4]),
        _told("refused", mine, [[0, 1]], [[2, 3, "type_conflict"]], running=[0, 1], refused=[2, 3]),
        _told("said again", mine, [], [], running=[]),
        _told("the backlog of the key before", before, [[0, 2]], [], earlier=[0, 1, 2]),
        _told("more of the backlog than waits", before, [[0, 2], [5, huge]], [], earlier=[0, 1, 2]),
        _told("of an incarnation nobody knows", (ROTATED, b"\1" * 8), [[0, 4]], [], unknown),
        _told("the running incarnation under the key before", (PRIVATE, LATER), [[0, 4]], [], alien),
        _told("above the highest seq", mine, [[0, 5]], [], "ack_never_sealed"),
        _told("refused above the highest seq", mine, [[0, 1]], [[5, 5, "x"]], "ack_never_sealed"),
        _told("every seq there can be", mine, [[0, huge]], [], "ack_never_sealed"),
        _told("wrong MAC", mine, [[0, 4]], [], "ack_wrong_mac", flip=True),
        _told("of a key nobody gave", (strange, LATER), [[0, 4]], [], alien),
        _told("under the other key's MAC", mine, [[0, 4]], [], "ack_wrong_mac", mac_of=PRIVATE),
        _told("another kid inside than outside", mine, [[0, 4]], [], alien, inside=KID),
        _told("a seq both stored and refused", mine, [[0, 4]], [[4, 4, "x"]], "ack_bad_payload"),
        _told("65 intervals", mine, [[2 * at, 2 * at] for at in range(65)], [], "ack_bad_payload"),
    ]  # fmt: skip


def _told(
    name: str,
    whose: tuple[bytes, bytes],
    stored: list[list[int]],
    refused_: list[list[Any]],
    trouble: str = "",
    *,
    running: list[int] | None = None,
    earlier: list[int] | None = None,
    refused: list[int] | None = None,
    flip: bool = False,
    mac_of: bytes | None = None,
    inside: bytes | None = None,
) -> dict[str, Any]:
    private, incarnation = whose
    kid = cose.key_id(p256.spki(private))
    value = {
        frame.ACK_KID: inside or kid, frame.ACK_INCARNATION: incarnation, frame.ACK_STORED: stored,
        frame.ACK_REFUSED: refused_, frame.ACK_TIME: WALL,
    }  # fmt: skip
    key = mac.ack_key(SECRET, cose.key_id(p256.spki(mac_of)) if mac_of else kid)
    message = cose.mac0(key, kid, topic("ack").encode(), cbor.encode(value))
    if flip:
        message = message[:-1] + bytes([message[-1] ^ 1])
    return {
        "name": name, "topic": topic("ack"), "message": message.hex(), "trouble": trouble,
        "running": running or [], "earlier": earlier or [], "refused": refused or [],
    }  # fmt: skip


def content() -> dict[str, Any]:
    """Return what goes into the two files, by name."""
    return {
        "limits.json": {"keys": keys(), "messages": limits()},
        "histories.json": {
            "keys": keys(), "ack_secret": SECRET.hex(), "running": LATER.hex(), "earlier": INCARNATION.hex(),
            "sealed": 5, "waiting": 3, "now_ms": WALL + 120_000, "centre": centre(), "device": device(),
        },
    }  # fmt: skip
