"""Payloads of frames and acks: which kind carries what, and every shape that is refused."""

from agent.wire import cbor, frame
from tests.portable.expect import refused

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

KINDS = ("birth", "data", "event", "death")
TABLE = ["upsd", "ups", ["ol", "input_voltage"], [[-20000, 1, 127.5], [0, 0, None]]]
HELLO = {
    "agent": "0.1.0",
    "runtime": "micropython 1.25.0",
    "hardware": "GL-MT300N-V2",
    "os": "OpenWrt 24.10.0",
    "readers": {"host": 10000},
    "intervals": {"sample": 10000, "watch": 2000, "frame": 30000, "keepalive": 20000},
    "site": "biblioteca",
}


def valid(kind: str) -> "dict[int, Any]":
    """Return the smallest payload of a kind."""
    value: dict[int, Any] = {1: 1, 2: "dev", 3: bytes(8), 4: 7, 5: bytes(16), 7: 1000}
    if kind != "death":
        value[6] = 0
    if kind in ("birth", "death"):
        value[11] = 1
    if kind == "birth":
        value[12] = HELLO
    return value


def changed(kind: str, key: object, item: object) -> "dict[Any, Any]":
    value: dict[Any, Any] = valid(kind)
    value[key] = item
    return value


def with_table(*table: object) -> "dict[int, Any]":
    return changed("data", 9, [list(table)])


def test_the_smallest_of_each_kind():
    for kind in KINDS:
        payload = frame.check_payload(kind, valid(kind))
        assert (payload.version, payload.device, payload.boot, payload.uptime_ms) == (1, "dev", 7, 1000)
        assert (payload.incarnation, payload.kernel_boot) == (bytes(8), bytes(16))
        assert payload.seq == (None if kind == "death" else 0)
        assert payload.session == (1 if kind in ("birth", "death") else None)
        assert payload.hello == (HELLO if kind == "birth" else {})
        assert (payload.wall_ms, payload.tables, payload.dropped, payload.stop) == (None, [], {}, False)


def test_everything_is_read_back():
    data = frame.encode_payload(
        "event", device="dev", incarnation=b"12345678", boot=3, kernel_boot=b"k" * 16, uptime_ms=5, seq=9,
        wall_ms=1700000000000, tables=[TABLE], dropped={"data": 2}, stop=True,
    )  # fmt: skip
    payload = frame.check_payload("event", cbor.decode(data))
    assert (payload.incarnation, payload.boot, payload.kernel_boot) == (b"12345678", 3, b"k" * 16)
    assert (payload.uptime_ms, payload.seq, payload.wall_ms) == (5, 9, 1700000000000)
    assert (payload.tables, payload.dropped, payload.stop) == ([TABLE], {"data": 2}, True)


def test_births_and_deaths_name_the_session():
    for kind in ("birth", "death"):
        data = frame.encode_payload(
            kind, device="dev", incarnation=bytes(8), boot=0, kernel_boot=bytes(16), uptime_ms=0, session=4,
            seq=0 if kind == "birth" else None, hello=HELLO if kind == "birth" else None,
        )  # fmt: skip
        assert frame.check_payload(kind, cbor.decode(data)).session == 4


def test_what_is_absent_takes_no_bytes():
    data = frame.encode_payload(
        "data", device="dev", incarnation=bytes(8), boot=0, kernel_boot=bytes(16), uptime_ms=0, seq=0,
        tables=[], dropped={}, stop=False,
    )  # fmt: skip
    assert sorted(cbor.decode(data)) == [1, 2, 3, 4, 5, 6, 7]


def test_each_kind_needs_its_keys():
    for kind in KINDS:
        for key in valid(kind):
            value = valid(kind)
            del value[key]
            refused("bad_payload", frame.check_payload, kind, value)


def test_each_kind_is_refused_what_belongs_to_another():
    extra = {6: 0, 9: [TABLE], 11: 1, 12: HELLO, 13: True}
    foreign = {"birth": (13,), "data": (11, 12, 13), "event": (11, 12), "death": (6, 9, 12, 13)}
    for kind in KINDS:
        for key in foreign[kind]:
            refused("wrong_kind", frame.check_payload, kind, changed(kind, key, extra[key]))


def test_unknown_keys_are_ignored():
    for kind in KINDS:
        frame.check_payload(kind, changed(kind, 99, ["anything"]))
        frame.check_payload(kind, changed(kind, -1, None))


def test_no_frame_of_another_kind():
    for kind in ("ack", "", "Data"):
        refused("bad_payload", frame.check_payload, kind, valid("data"))
    for value in (None, [], 1, "a", [1, 2]):
        refused("bad_payload", frame.check_payload, "data", value)
    refused("bad_payload", frame.check_payload, "data", changed("data", "text", 1))


WRONG: "dict[int, Any]" = {
    1: (0, 2, "1", 1.0, True, None),
    2: ("Dev", "", "vigia-x", 1, b"dev", None, "a" * 64),
    3: (bytes(7), bytes(9), "12345678", 0, None),
    4: (-1, 1.0, "1", True, None),
    5: (bytes(15), bytes(17), "1" * 16, None),
    6: (-1, 0.0, True, None),
    7: (-1, 1.5, None),
    8: (-1, 1.5e12, None, "now"),
    9: (None, {}, "t", 1, [None]),
    10: (None, [], {1: 1}, {"Data": 1}, {"data": -1}, {"data": 1.0}, {"data": True}),
}


def test_wrong_types_and_ranges():
    for key, items in WRONG.items():
        for item in items:
            refused("bad_payload", frame.check_payload, "data", changed("data", key, item))
    for item in (-1, None, 1.0, True):
        refused("bad_payload", frame.check_payload, "death", changed("death", 11, item))
    for item in (False, 1, None):
        refused("bad_payload", frame.check_payload, "event", changed("event", 13, item))


def test_wrong_hellos():
    wrong: tuple[Any, ...] = (
        None, [], {"agent": 1}, {"site": None}, {"readers": []}, {"readers": {"host": -1}},
        {"intervals": {"frame": 1.0}}, {"readers": {1: 1}}, {"os": "x" * 257},
    )  # fmt: skip
    for hello in wrong:
        refused("bad_payload", frame.check_payload, "birth", changed("birth", 12, hello))
    frame.check_payload("birth", changed("birth", 12, {"later": [1]}))


def test_tables():
    for table in (
        TABLE,
        ["system", None, ["load1"], [[0, 0.5]]],
        ["a1_", "x" * 128, ["f" * 40], [[-86400000, "text"], [0, True], [0, None]]],
        ["ping", "http://ñandú.mx/?a=1 2", ["f" + str(n) for n in range(64)], [[0] + [1] * 64]],
    ):
        frame.check_payload("data", changed("data", 9, [table]))


def test_wrong_tables():
    name, instance, fields, rows = "m", None, ["f"], [[0, 1]]
    wrong: tuple[Any, ...] = (
        (), (name, instance, fields), (name, instance, fields, rows, 0),
        ("", instance, fields, rows), ("M", instance, fields, rows), ("1m", instance, fields, rows),
        ("m-n", instance, fields, rows), ("m" * 41, instance, fields, rows), (None, instance, fields, rows),
        (name, "", fields, rows), (name, 1, fields, rows), (name, "x" * 129, fields, rows),
        (name, "a\nb", fields, rows), (name, "a\x7f", fields, rows), (name, b"a", fields, rows),
        (name, instance, [], [[0]]), (name, instance, None, rows), (name, instance, ["F"], rows),
        (name, instance, [1], rows), (name, instance, ["f", "f"], [[0, 1, 1]]), (name, instance, "f", rows),
        (name, instance, ["f" + str(n) for n in range(65)], [[0] + [1] * 65]),
        (name, instance, fields, []), (name, instance, fields, None), (name, instance, fields, [0]),
        (name, instance, fields, [[0]]), (name, instance, fields, [[0, 1, 1]]),
        (name, instance, fields, [[]]),
        (name, instance, fields, [[1, 1]]), (name, instance, fields, [[-0.5, 1]]),
        (name, instance, fields, [[None, 1]]), (name, instance, fields, [[False, 1]]),
        (name, instance, fields, [[-86400001, 1]]), (name, instance, fields, [[0, [1]]]),
        (name, instance, fields, [[0, {}]]), (name, instance, fields, [[0, b"x"]]),
        (name, instance, fields, [[0, "x" * 257]]), (name, instance, fields, [[0, 1], [0]]),
    )  # fmt: skip
    for table in wrong:
        refused("bad_payload", frame.check_payload, "data", with_table(*table))


def test_the_encoder_refuses_what_the_check_refuses():
    def encode(**changes: object) -> bytes:
        values: dict[str, Any] = {
            "device": "dev",
            "incarnation": bytes(8),
            "boot": 0,
            "kernel_boot": bytes(16),
            "uptime_ms": 0,
        }
        values["seq"] = 0
        values.update(changes)
        return frame.encode_payload("data", **values)

    encode()
    refused("bad_payload", lambda: encode(seq=None))
    refused("bad_payload", lambda: encode(device="Dev"))
    refused("bad_payload", lambda: encode(tables=[["m", None, ["f"], [[1, 1]]]]))
    refused("wrong_kind", lambda: encode(session=1))
    refused("unencodable", lambda: encode(tables=[["m", None, ["f"], [[0, float("nan")]]]]))
    refused("unencodable", lambda: encode(tables=[["m", None, ["f"], [[0, 1 << 63]]]]))


ACK: "dict[int, Any]" = {
    1: b"k" * 8,
    2: b"i" * 8,
    3: [[0, 3], [5, 5]],
    4: [[4, 4, "type_conflict"]],
    5: 1700000000000,
}


def test_an_ack_is_read_back_in_order():
    data = frame.encode_ack(ACK[1], ACK[2], [(5, 5), (0, 3)], [(4, 4, "type_conflict")], ACK[5])
    assert cbor.decode(data) == ACK
    ack = frame.check_ack(cbor.decode(data))
    assert (ack.kid, ack.incarnation, ack.time_ms) == (ACK[1], ACK[2], ACK[5])
    assert (ack.stored, ack.refused) == (ACK[3], ACK[4])


def test_wrong_acks():
    wrong: tuple[Any, ...] = (
        (1, bytes(7)), (1, None), (2, bytes(9)), (2, "x" * 8), (3, None), (3, [[1, 0]]), (3, [[-1, 0]]),
        (3, [[0]]), (3, [[0, 1, 2]]), (3, [[0, 2], [2, 3]]), (3, [[3, 4], [0, 1]]), (3, [[0, 1.0]]),
        (3, [[False, 1]]), (3, {}), (4, [[0, 1]]), (4, [[0, 1, 2]]), (4, [[1, 0, "r"]]), (4, None), (5, -1),
        (5, None),
    )  # fmt: skip
    for key, item in wrong:
        value = dict(ACK)
        value[key] = item
        refused("bad_payload", frame.check_ack, value)
    for key in ACK:
        value = dict(ACK)
        del value[key]
        refused("bad_payload", frame.check_ack, value)
    refused("bad_payload", frame.check_ack, [])
    frame.check_ack({1: bytes(8), 2: bytes(8), 3: [], 4: [], 5: 0, 6: "later"})
