"""The published examples of single messages: ``wire/frames.json`` and ``wire/acks.json``.

Each invalid example is a valid one with one thing wrong, and carries the reason WIRE.md gives for refusing
it.
"""

from __future__ import annotations

import hashlib
from typing import Any

from agent.wire import cbor, cose, frame, mac, p256, topics

# The keys of these examples are public: RFC 6979 appendix A.2.5, and the hash of a word.
PRIVATE = bytes.fromhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
OTHER = hashlib.sha256(b"another device").digest()
SECRET = bytes(range(32))

DEVICE = "biblioteca-01"
SHARD = topics.shard_of("biblioteca")
INCARNATION = bytes.fromhex("1122334455667788")
KERNEL_BOOT = bytes.fromhex("00112233445566778899aabbccddeeff")
KID = cose.key_id(p256.spki(PRIVATE))
OTHER_KID = cose.key_id(p256.spki(OTHER))
ACK_KEY = mac.ack_key(SECRET, KID)
HEADER = cose.protected(cose.ES256, KID)

HELLO = {
    "agent": "0.1.0",
    "runtime": "micropython 1.25.0",
    "hardware": "GL-MT300N-V2",
    "os": "OpenWrt 24.10.0",
    "readers": {"host": 10000, "interfaces": 10000, "ups": 10000},
    "intervals": {"sample": 10000, "watch": 2000, "frame": 30000, "keepalive": 20000},
    "site": "biblioteca",
}
UPS = [
    "upsd",
    "biblioteca-ups",
    ["ol", "ob", "input_voltage", "battery_charge_percent", "last_transfer"],
    [
        [-20000, 1, 0, 127.3, 100.0, None],
        [-10000, 1, 0, 126.9, 100.0, None],
        [0, 0, 1, 0.0, 99.5, "línea perdida"],
    ],
]
TABLE = ["net", "eth0", ["bytes_recv", "carrier"], [[-10000, 18446744073, 1], [0, 18446760000, 1]]]

Vector = dict[str, Any]
Changes = dict[int, Any]


def topic(kind: str, device: str = DEVICE) -> str:
    """Return the topic of this kind at the examples' shard."""
    return topics.make(SHARD, device, kind)


def base(kind: str) -> dict[int, Any]:
    """Return a plain valid payload map of a kind."""
    value: dict[int, Any] = {1: 1, 2: DEVICE, 3: INCARNATION, 4: 12, 5: KERNEL_BOOT, 7: 86_400_000}
    if kind != "death":
        value[6] = 41
    if kind in {"birth", "death"}:
        value[11] = 3
    if kind == "birth":
        value[12] = HELLO
    if kind == "data":
        value[9] = [TABLE]
    return value


def seal(where: str, payload: bytes, private: bytes = PRIVATE, header: bytes = HEADER) -> bytes:
    """Return the signed message for a topic."""
    return cose.sign1(header, payload, signature(where, payload, private, header))


def signature(where: str, payload: bytes, private: bytes = PRIVATE, header: bytes = HEADER) -> bytes:
    """Return r and s over the Sig_structure."""
    return p256.sign(private, hashlib.sha256(cose.to_sign(header, where.encode(), payload)).digest())


def example(name: str, expect: str, where: str, message: bytes, value: object = None) -> Vector:
    """Return one entry of the file; ``value`` is what a valid one says, in JSON."""
    entry: Vector = {"name": name, "expect": expect, "topic": where, "message": message.hex()}
    if value is not None:
        entry["value"] = value
    return entry


def described(kind: str, payload: bytes) -> dict[str, Any]:
    """Return a checked payload with its byte strings in hex."""
    checked = vars(frame.check_payload(kind, cbor.decode(payload)))
    return {name: item.hex() if isinstance(item, bytes) else item for name, item in checked.items()}


def valid_frames() -> list[Vector]:
    """Return valid frames of every kind."""
    wall = 1_767_225_600_000
    cases: list[tuple[str, str, Changes]] = [
        ("birth, clock synchronised", "birth", {6: 0, 8: wall}),
        ("data without a synchronised clock", "data", {}),
        ("data of two tables and an account of losses", "data", {8: wall, 9: [UPS, TABLE], 10: {"data": 3}}),
        ("event", "event", {8: wall, 9: [UPS]}),
        ("event of a planned stop", "event", {8: wall, 13: True}),
        ("death", "death", {}),
        ("data of a newer agent: an unknown key and an unknown field", "data",
         {14: {"new": [1]}, 9: [["net", "eth0", ["brand_new"], [[0, 1.5]]]]}),
        ("numbers at their limits", "data", {4: 0, 6: (1 << 63) - 1, 7: 0, 9: [["m", None, ["f"],
         [[-86_400_000, -(1 << 63)], [-1, 2.0**-24], [0, 1e300]]]]}),
    ]  # fmt: skip
    frames = []
    for name, kind, changes in cases:
        payload = cbor.encode({**base(kind), **changes})
        frames.append(
            example(name, "valid", topic(kind), seal(topic(kind), payload), described(kind, payload))
        )
    return frames


def bad_topics() -> list[Vector]:
    """Return frames on topics that are none of this contract."""
    payload = cbor.encode(base("data"))
    wrong = {
        "another root": f"vigia/v2/{SHARD}/{DEVICE}/data",
        "shard of two digits": f"vigia/v1/0{SHARD}/{DEVICE}/data",
        "device in capitals": f"vigia/v1/{SHARD}/Biblioteca/data",
        "device named as the centre's own": f"vigia/v1/{SHARD}/vigia-x/data",
        "unknown kind": f"vigia/v1/{SHARD}/{DEVICE}/state",
    }
    return [example(name, "bad_topic", where, seal(where, payload)) for name, where in wrong.items()]


def bad_envelopes() -> list[Vector]:
    """Return messages that are not the one form of COSE_Sign1."""
    where = topic("data")
    payload = cbor.encode({**base("data"), 9: []})
    proof = signature(where, payload)
    good = [b"\xd2\x84", b"\x4d" + HEADER, b"\xa0", cbor.encode(payload), cbor.encode(proof)]
    long_header = b"\xa3\x01\x26\x03\x00\x04\x48" + KID
    wrong = {
        "COSE without its tag": (0, b"\x84"),
        "tag of COSE_Mac0": (0, b"\xd1\x84"),
        "array of five": (0, b"\xd2\x85"),
        "another algorithm": (1, cbor.encode(b"\xa2\x01\x38\x22\x04\x48" + KID)),
        "kid of seven bytes": (1, cbor.encode(b"\xa2\x01\x26\x04\x47" + KID[:7])),
        "a third protected header": (1, cbor.encode(long_header)),
        "protected header sorted otherwise": (1, cbor.encode(b"\xa2\x04\x48" + KID + b"\x01\x26")),
        "an unprotected header": (2, b"\xa1\x04\x48" + KID),
        "payload detached": (3, b"\xf6"),
        "payload of indefinite length": (3, b"\x5f" + cbor.encode(payload) + b"\xff"),
        "payload with a longer head than needed": (3, b"\x59" + len(payload).to_bytes(2, "big") + payload),
        "signature of 63 bytes": (4, cbor.encode(proof[:63])),
        "signature cut off": (4, cbor.encode(proof)[:-1]),
        "a byte behind": (4, cbor.encode(proof) + b"\x00"),
    }
    return [
        example(name, "malformed", where, b"".join([*good[:at], piece, *good[at + 1 :]]))
        for name, (at, piece) in wrong.items()
    ]


def forgeries() -> list[Vector]:
    """Return well-formed messages whose signature is not this device's over this topic and payload."""
    where = topic("data")
    payload = cbor.encode(base("data"))
    proof = signature(where, payload)
    unbound = p256.sign(PRIVATE, hashlib.sha256(cose.to_sign(HEADER, b"", payload)).digest())
    wrong = {
        "a bit of r flipped": (where, payload, bytes([proof[0] ^ 1]) + proof[1:]),
        "a bit of s flipped": (where, payload, proof[:-1] + bytes([proof[-1] ^ 1])),
        "r is zero": (where, payload, bytes(32) + proof[32:]),
        "s is zero": (where, payload, proof[:32] + bytes(32)),
        "r and s exchanged": (where, payload, proof[32:] + proof[:32]),
        "a bit of the payload flipped": (where, payload[:-1] + bytes([payload[-1] ^ 1]), proof),
        "moved to another kind": (topic("event"), payload, proof),
        "moved to another shard": (topics.make("0" if SHARD != "0" else "1", DEVICE, "data"), payload, proof),
        "signed without the topic": (where, payload, unbound),
        "signed with another device's key": (where, payload, signature(where, payload, OTHER)),
    }
    messages = [(name, at, cose.sign1(HEADER, content, end)) for name, (at, content, end) in wrong.items()]
    return [example(name, "bad_signature", at, message) for name, at, message in messages]


def strangers() -> list[Vector]:
    """Return properly signed messages of a key that is not enrolled, or for another's name."""
    where = topic("data")
    payload = cbor.encode(base("data"))
    unknown = cose.protected(cose.ES256, cose.key_id(p256.spki(hashlib.sha256(b"stranger").digest())))
    header = cose.protected(cose.ES256, OTHER_KID)
    alien = cbor.encode({**base("data"), 2: "biblioteca-02"})
    return [
        example("a key that is not enrolled", "unknown_key", where, seal(where, payload, header=unknown)),
        example(
            "another device's key on this topic", "wrong_device", where, seal(where, payload, OTHER, header)
        ),
        example(
            "moved to another device", "wrong_device", topic("data", "biblioteca-02"), seal(where, payload)
        ),
        example("another device's name in the payload", "wrong_device", where, seal(where, alien)),
    ]


def bad_cbor() -> list[Vector]:
    """Return signed payloads that are not the CBOR of this contract."""
    where = topic("data")
    good = cbor.encode({**base("data"), 9: []})
    head = good[:1]
    wrong = {
        "empty payload": b"",
        "payload cut off": good[:-1],
        "a byte behind the map": good + b"\x00",
        "map of indefinite length": b"\xbf" + good[1:] + b"\xff",
        "version twice": bytes([head[0] + 1]) + b"\x01\x01" + good[1:],
        "a tag in the payload": b"\xd9\xd9\xf7" + good,
        "undefined as a value": _added(good, b"\x0e\xf7"),
        "not a number": _added(good, b"\x0e\xf9\x7e\x00"),
        "infinity": _added(good, b"\x0e\xfb\x7f\xf0" + bytes(6)),
        "an integer beyond 64 bits": _added(good, b"\x0e\x1b\x80" + bytes(7)),
        "a key of bytes": _added(good, b"\x41\x0e\x00"),
        "nested nine deep": _added(good, b"\x0e" + b"\x81" * 8 + b"\x00"),
        "text that is not UTF-8": _added(good, b"\x0e\x61\xff"),
        "an array longer than the message": _added(good, b"\x0e\x9a\xff\xff\xff\xff"),
    }
    return [example(name, "malformed", where, seal(where, payload)) for name, payload in wrong.items()]


def _added(payload: bytes, pair: bytes) -> bytes:
    """Return a map of less than 23 pairs with one more at its end."""
    return bytes([payload[0] + 1]) + payload[1:] + pair


def bad_payloads() -> list[Vector]:
    """Return signed CBOR of the wrong shape."""
    table = ["net", "eth0", ["carrier"], [[0, 1]]]
    wrong: dict[str, tuple[int, Any]] = {
        "another version": (1, 2),
        "version as text": (1, "1"),
        "incarnation of seven bytes": (3, INCARNATION[:7]),
        "boot below zero": (4, -1),
        "kernel boot id of eight bytes": (5, KERNEL_BOOT[:8]),
        "seq below zero": (6, -1),
        "seq as a float": (6, 41.0),
        "uptime as null": (7, None),
        "wall time as null": (8, None),
        "tables as a map": (9, {}),
        "a table of three members": (9, [table[:3]]),
        "a measurement in capitals": (9, [["Net", *table[1:]]]),
        "an instance with a line break": (9, [["net", "eth0\n", *table[2:]]]),
        "a field twice": (9, [["net", "eth0", ["carrier", "carrier"], [[0, 1, 1]]]]),
        "no rows": (9, [[*table[:3], []]]),
        "a row longer than its fields": (9, [[*table[:3], [[0, 1, 2]]]]),
        "a sample after its sealing": (9, [[*table[:3], [[1, 1]]]]),
        "a sample more than a day before its sealing": (9, [[*table[:3], [[-86_400_001, 1]]]]),
        "a list as a value": (9, [[*table[:3], [[0, [1]]]]]),
        "an account below zero": (10, {"data": -1}),
    }
    examples = [_shaped(name, "bad_payload", "data", {key: item}) for name, (key, item) in wrong.items()]
    examples.append(
        _shaped("a hello whose intervals are text", "bad_payload", "birth", {12: {"intervals": "10 s"}})
    )
    names = {
        2: "device",
        3: "incarnation",
        4: "boot",
        5: "kernel boot id",
        6: "seq",
        7: "uptime",
        1: "version",
    }
    examples += [
        _shaped(f"data without {name}", "bad_payload", "data", {}, key) for key, name in names.items()
    ]
    examples.append(_shaped("birth without session", "bad_payload", "birth", {}, 11))
    examples.append(_shaped("birth without hello", "bad_payload", "birth", {}, 12))
    examples.append(_shaped("death without session", "bad_payload", "death", {}, 11))
    return examples


def wrong_kinds() -> list[Vector]:
    """Return signed payloads that carry what belongs to another kind."""
    return [
        _shaped("death with seq", "wrong_kind", "death", {6: 41}),
        _shaped("death with tables", "wrong_kind", "death", {9: [TABLE]}),
        _shaped("data with session", "wrong_kind", "data", {11: 3}),
        _shaped("data with hello", "wrong_kind", "data", {12: HELLO}),
        _shaped("event with hello", "wrong_kind", "event", {12: HELLO}),
        _shaped("data with a planned stop", "wrong_kind", "data", {13: True}),
        _shaped("birth with a planned stop", "wrong_kind", "birth", {13: True}),
    ]


def _shaped(name: str, expect: str, kind: str, changes: Changes, missing: int = 0) -> Vector:
    value = {**base(kind), **changes}
    value.pop(missing, None)
    return example(name, expect, topic(kind), seal(topic(kind), cbor.encode(value)))


def acks() -> list[Vector]:
    """Return acks, valid and not."""
    where = topic("ack")
    payload = frame.encode_ack(
        KID, INCARNATION, [(0, 40), (42, 42)], [(41, 41, "type_conflict")], 1_767_225_601_000
    )
    good = _sealed_ack(payload)
    value = {
        "kid": KID.hex(),
        "incarnation": INCARNATION.hex(),
        "stored": [[0, 40], [42, 42]],
        "refused": [[41, 41, "type_conflict"]],
        "time_ms": 1_767_225_601_000,
    }
    flipped = good[:-1] + bytes([good[-1] ^ 1])
    elsewhere = topic("ack", "biblioteca-02")
    other_key = cose.mac0(mac.ack_key(SECRET, OTHER_KID), KID, where.encode(), payload)
    signed = seal(where, payload)
    return [
        example("an ack", "valid", where, good, value),
        example("a bit of the tag flipped", "wrong_mac", where, flipped),
        example("moved to another device", "wrong_mac", elsewhere, good),
        example("under another device's key", "wrong_mac", where, other_key),
        example("a signed frame instead", "malformed", where, signed),
        example(
            "with HMAC 256/256", "malformed", where, good.replace(b"\xa2\x01\x04\x04", b"\xa2\x01\x05\x04", 1)
        ),
        example("a byte behind", "malformed", where, good + b"\x00"),
        example("cut off", "malformed", where, good[:-1]),
        *_shaped_acks(),
    ]


def _sealed_ack(payload: bytes) -> bytes:
    return cose.mac0(ACK_KEY, KID, topic("ack").encode(), payload)


def _shaped_acks() -> list[Vector]:
    value = {1: KID, 2: INCARNATION, 3: [[0, 40]], 4: [], 5: 1_767_225_601_000}
    wrong: dict[str, Changes] = {
        "kid of seven bytes": {1: KID[:7]},
        "incarnation as text": {2: INCARNATION.hex()},
        "an interval backwards": {3: [[5, 4]]},
        "intervals that overlap": {3: [[0, 4], [4, 5]]},
        "a refusal without a reason": {4: [[41, 41]]},
        "a seq that is stored and refused": {4: [[40, 41, "type_conflict"]]},
        "65 intervals": {3: [[2 * at, 2 * at] for at in range(64)], 4: [[200, 200, "type_conflict"]]},
        "time below zero": {5: -1},
    }
    payloads = {name: cbor.encode({**value, **changes}) for name, changes in wrong.items()}
    payloads["without time"] = cbor.encode({key: item for key, item in value.items() if key != 5})
    return [
        example(name, "bad_payload", topic("ack"), _sealed_ack(payload)) for name, payload in payloads.items()
    ]


def keys() -> list[dict[str, str]]:
    """Return the registry of the examples, with the private keys, so that anyone can sign again."""
    return [
        {
            "device": device,
            "kid": cose.key_id(p256.spki(private)).hex(),
            "spki": p256.spki(private).hex(),
            "private": private.hex(),
            "ack_key": mac.ack_key(SECRET, cose.key_id(p256.spki(private))).hex(),
        }
        for device, private in ((DEVICE, PRIVATE), ("biblioteca-02", OTHER))
    ]


def content() -> dict[str, Any]:
    """Return what goes into the two files, by name."""
    frames = [
        *valid_frames(), *bad_topics(), *bad_envelopes(), *forgeries(), *strangers(), *bad_cbor(),
        *bad_payloads(), *wrong_kinds(),
    ]  # fmt: skip
    return {
        "frames.json": {"keys": keys(), "frames": frames},
        "acks.json": {"keys": keys(), "ack_secret": SECRET.hex(), "acks": acks()},
    }
