"""Where the fuzzer begins: payloads of every kind, made with cbor2, and the recipes around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cbor2

from tests.fuzz.envelope import STYLES, Draft, Statement
from tests.fuzz.keys import KINDS, PAIRS, TOPICS
from tests.fuzz.recipe import ACK, CROWDED, FRAME, RAW, REPLAY, TOPIC, Recipe

if TYPE_CHECKING:
    from collections.abc import Iterator

_BASE = {1: 1, 2: "r1", 3: b"incarnat", 4: 3, 5: b"kernel boot id..", 7: 90_000, 8: 1_760_000_000_000}
TABLES: list[Any] = [
    ["upsd", "apc", ["ob", "input_voltage", "last_transfer"], [[-10_000, 0, 127.1, "x"], [0, 1, 3, None]]],
    ["net", "eth0", ["bytes_recv", "carrier"], [[0, 4_294_967_296, 1]]],
    ["temp", None, ["temp", "humidity", "time"], [[-1, 41.5, 7, 2]]],
    ["soil", "bed", ["moist"], [[0, 0.25]]],
    ["site_state", None, ["dark"], [[0, 1]]],
]
_HELLO = {
    "agent": "0.1.0",
    "os": "linux",
    "readers": {"ups": 2000},
    "intervals": {"frame": 30_000},
    "new": [],
}
_FLAGS = [[0, value] for value in (1, True, 1.0, None, 2, -1, "")]
PAYLOADS: dict[str, list[dict[int, Any]]] = {
    "data": [
        _BASE | {6: 1, 9: TABLES, 10: {"data": 2}},
        _BASE | {6: 2, 9: [TABLES[0]], 99: "later"},
        _BASE | {6: 3, 9: [["net", f"w{n}", [f"f{n}"], [[0, n]]] for n in range(4)]},
        _BASE | {6: 4, 9: [["agent", "ups", ["reader_ok"], _FLAGS]]},
    ],
    "birth": [_BASE | {6: 0, 11: 1, 12: _HELLO}],
    "event": [_BASE | {6: 7, 9: [TABLES[0]], 13: True}],
    "death": [{key: value for key, value in _BASE.items() if key != 8} | {11: 1}],
    "ack": [{1: PAIRS[0].kid, 2: b"incarnat", 3: [[0, 4], [6, 6]], 4: [[5, 5, "future"]], 5: 1}],
}
MANY_RANGES = PAYLOADS["ack"][0] | {
    3: [[seq, seq] for seq in range(10, 140, 2)]
}  # one more than an ack may hold
PAYLOAD = cbor2.dumps(PAYLOADS["data"][1], canonical=True)
ODD_TOPICS = (
    "vigia/v1/c/r1/data",
    "vigia/v1/c/r1/ack",
    "vigia/v1/c/vigia-x/data",
    "vigia/v1/c/collector",
    "vigia/v1/g/r1/data",
    "vigia/v1/c/r1/data/x",
    "vigia/v2/c/R1/data",
    "vigia/v1/c//data",
    "vigia/v1/c/" + 64 * "a" + "/data",
    "vigia/v1/\u0663/r\u0301/d\u00e4ta",
)


def genuine() -> list[Statement]:
    """What the keys have said before the fuzzing began; raw inputs start from these messages."""
    return [said for said, _ in _genuine()]


def _genuine() -> Iterator[tuple[Statement, bytes]]:
    for kind in ("data", "birth", "event", "death"):
        draft = Draft(PAIRS[0], PAIRS[0].kid, f"vigia/v1/c/r1/{kind}", _canonical(PAYLOADS[kind][0]))
        message = draft.wrap(draft.sign())
        if draft.signed is not None:
            yield draft.signed, message


def _canonical(value: Any) -> bytes:
    return cbor2.dumps(value, canonical=True)


def recipes() -> Iterator[Recipe]:
    """All seeds."""
    for at, kind in enumerate(KINDS[:4]):
        for value in PAYLOADS[kind]:
            yield Recipe(FRAME, topic=at, body=_canonical(value))
        yield Recipe(FRAME, topic=at, flags=CROWDED, body=_canonical(PAYLOADS[kind][0]))
    for style in range(len(STYLES)):
        yield Recipe(FRAME, style=style, flags=REPLAY, body=PAYLOAD)
    for other in range(1, len(PAIRS) + 1):
        yield Recipe(FRAME, kid=other, body=PAYLOAD)
        yield Recipe(FRAME, pair=other - 1, body=PAYLOAD)
    for topic in range(1, len(TOPICS) + 1):
        yield Recipe(FRAME, deliver=topic, body=PAYLOAD)
    for said, message in _genuine():
        yield Recipe(RAW, topic=TOPICS.index(said.topic), body=message)
    yield from (Recipe(TOPIC, body=topic.encode()) for topic in ODD_TOPICS)
    yield Recipe(ACK, topic=4, body=_canonical(MANY_RANGES))
    for edit in range(10):
        yield Recipe(ACK, topic=4, edit=edit, value=1, body=_canonical(PAYLOADS["ack"][0]))
