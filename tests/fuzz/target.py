"""One execution: an input becomes a message, the real stages take it, a second opinion judges what they did.

Raises ``Wrong`` when the two differ. Whatever else is raised is a fault of the code under test too.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry

from agent.wire import cbor, frame, topics
from agent.wire.errors import WireError
from collector.ingest import admit
from collector.ingest.address import AddressStage
from collector.ingest.batch import Batch
from collector.ingest.tables import Register
from collector.ingest.verify import VerifyStage
from collector.metrics import Metrics
from collector.model import Outcome, Reason, Received, Table
from tests.fuzz import device_side, reference, register_model, seeds
from tests.fuzz import recipe as recipes
from tests.fuzz.envelope import MAX_BYTES, Statement, opened, second
from tests.fuzz.judgement import REFUSED, Tally, decoded, decoders_agree, demand, rare, same
from tests.fuzz.keys import ARRIVAL_MS, PAIRS, Enrolled, Pair

if TYPE_CHECKING:
    from collector.ingest.batch import Item
    from collector.model import Frame
    from tests.fuzz.recipe import Message, Recipe

_BY_KID = {pair.kid: pair for pair in PAIRS}
_CROWDED = ("net", "upsd")
_INSTANCES, _FIELDS = 62, 14  # that a crowded device has: two less than it may
_SLOW_S = 0.5  # of processor time; a usual input takes less than a thousandth of that
_WARM_FRAMES, _CROWDED_FRAMES = 1000, 50


@dataclass
class Expected:
    """``reasons``: those it may be refused for, none when it must be taken with ``value`` as payload."""

    reasons: set[str]
    parsed: bool = False
    signed: bool = False
    payload: bytes = b""
    value: Any = None
    address: tuple[str, str, str] = ("", "", "")


class Memory:
    """A register and what it should have seen; both are new again after ``frames`` frames.

    ``history``: the inputs since then, without which a failure may not come again. ``crowded``: r1 has
    named almost as many instances and unknown fields as it may.
    """

    def __init__(self, register: Any, frames: int, *, crowded: bool = False) -> None:
        self._new = register
        self._frames = frames
        self._is_crowded = crowded
        self._begin()

    def _begin(self) -> None:
        self.register = self._new()
        self.seen = register_model.Seen()
        self.history: list[bytes] = []
        if self._is_crowded:
            self._crowd()

    def _crowd(self) -> None:
        names = [(f"i{number}", f"u{number % _FIELDS}") for number in range(_INSTANCES)]
        tables = [(name, instance, [field], [[0, 1]]) for name in _CROWDED for instance, field in names]
        register_model.stored("r1", tables, self.seen)
        for name, instance, fields, rows in tables:
            self.register.check("r1", Table(name, instance, tuple(fields), tuple(map(tuple, rows))))

    def after(self, recipe: Recipe) -> Memory:
        """Return the memory as this input finds it."""
        if len(self.history) >= self._frames:
            self._begin()
        self.history.append(recipe.write())
        return self


class Target:
    """The stages of production over the fuzzer's registry. ``verify`` may be replaced to plant a fault."""

    def __init__(self, verify: Any = None, decode: Any = None, register: Any = Register) -> None:
        self.tally = Tally()
        self._address = AddressStage()
        self._verify = verify or VerifyStage(Enrolled())  # type: ignore[arg-type]  # the keys alone
        self._decode = decode or admit.decode
        self._metrics = Metrics(CollectorRegistry())
        self._new_register = register
        self._crowded = Memory(register, _CROWDED_FRAMES, crowded=True)
        self._warm = Memory(register, _WARM_FRAMES)
        self._genuine = set(seeds.genuine())
        self._known: tuple[bytes, Any] = b"", REFUSED  # the last body and what it means
        self._modes = (self._frame, self._raw, self._ack, self._topic)

    def run(self, data: bytes) -> None:
        """Execute one input."""
        recipe = recipes.Recipe.read(data)
        self.tally.executions += 1
        self.tally.modes[recipes.MODES[recipe.mode]] += 1
        began = time.thread_time()
        self._modes[recipe.mode](recipe)
        demand(time.thread_time() - began < _SLOW_S, "an input that takes too long")

    def history(self, data: bytes) -> list[bytes]:
        """Return the inputs whose traces this one may have met, itself the last."""
        flags = recipes.Recipe.read(data).flags
        memories = ((recipes.CROWDED, self._crowded), (recipes.WARM, self._warm))
        return next((memory.history for flag, memory in memories if flags & flag), [data])

    # --- modes -----------------------------------------------------------------------------------

    def _frame(self, recipe: Recipe) -> None:
        self._known = recipe.body, decoders_agree(recipe.body, self._decode)
        device_side.seal(recipe)
        self._pass(recipe, recipes.message_of(recipe))

    def _raw(self, recipe: Recipe) -> None:
        decoders_agree(recipe.body, self._decode)
        self._pass(recipe, recipes.raw_message(recipe))

    def _topic(self, recipe: Recipe) -> None:
        _topics_agree(recipe.body.decode("utf-8", "replace"))
        self._pass(recipe, recipes.topic_message(recipe, seeds.PAYLOAD))

    def _ack(self, recipe: Recipe) -> None:
        decoders_agree(recipe.body, self._decode)
        device_side.open_ack(recipe, self.tally)

    # --- the pipeline ----------------------------------------------------------------------------

    def _pass(self, recipe: Recipe, message: Message) -> None:
        expected = self._expect(message)
        memory = self._register(recipe)
        stages = [self._address, self._verify, admit.AdmitStage(memory.register, self._metrics)]
        item = _through(stages, message)
        self._judge(item, expected, memory.seen)
        if recipe.flags & recipes.REPLAY:
            again = _through(stages, message)
            same_frame = _bare(again.frame) == _bare(item.frame)
            demand(again.early == item.early and same_frame, "a replay became another frame")

    def _register(self, recipe: Recipe) -> Memory:
        """A register that knows nothing, one that took the frames before, or one that is almost full."""
        if recipe.flags & recipes.CROWDED:
            return self._crowded.after(recipe)
        if recipe.flags & recipes.WARM:
            return self._warm.after(recipe)
        return Memory(self._new_register, 1)

    def _judge(self, item: Item, expected: Expected, seen: register_model.Seen) -> None:
        self.tally.forged += expected.parsed and not expected.signed
        self.tally.parsed += expected.parsed
        self.tally.signed += expected.signed
        if item.early is not None:
            demand(item.early.outcome is Outcome.INVALID, f"ended as {item.early.outcome}")
            demand(item.frame is None, "refused, yet with a frame")
            demand(isinstance(item.early.reason, Reason), "refused without a reason")
            reason = str(item.early.reason)
            allowed = sorted(expected.reasons) or "being taken"
            demand(reason in expected.reasons, f"refused as {reason} instead of {allowed}")
            self.tally.reasons[reason] += 1
            demand(bool(item.signed) == expected.signed, "the signature was judged otherwise")
            return
        demand(item.frame is not None and item.signed is not None, "neither refused nor taken")
        self.tally.wrongly_accepted += bool(expected.reasons)
        demand(not expected.reasons, f"taken, though {sorted(expected.reasons)}")
        self.tally.accepted += 1
        if item.frame is not None:
            _check_frame(item.frame, item.held, expected, seen)

    def _expect(self, message: Message) -> Expected:
        match = reference.TOPIC.fullmatch(message.topic)
        if match is None or match[1] != message.shard:
            return Expected({"bad_topic"})
        if len(message.data) > MAX_BYTES:
            return Expected({"oversized"})
        parts = opened(message.data)
        if parts is None:
            return Expected({"malformed"})
        address = (match[1], match[2], match[3])
        pair, reason = _holder(parts[0], address[1])
        if reason or pair is None:
            return Expected({reason}, parsed=True)
        if not self._said(Statement(parts[0], message.topic, *parts[1:]), message.said):
            return Expected({"bad_signature"}, parsed=True)
        known, value = self._known
        return _content(parts[1], value if known == parts[1] else decoded(parts[1]), address)

    def _said(self, claim: Statement, said: Statement | None) -> bool:
        if said is not None and claim.signature[:32] == said.signature[:32] and claim in {said, second(said)}:
            return True
        return claim in self._genuine


def _topics_agree(text: str) -> None:
    """``topics`` takes what the reference's pattern takes."""
    match = reference.TOPIC.fullmatch(text)
    try:
        parsed = topics.parse(text)
    except WireError as error:
        demand(match is None and error.reason == "bad_topic", f"a topic refused: {error}")
        return
    demand(match is not None and parsed == match.groups() and topics.make(*parsed) == text, "a topic taken")


def _holder(kid: bytes, device: str) -> tuple[Pair | None, str]:
    pair = _BY_KID.get(kid)
    if pair is None or not pair.enrolled:
        return None, "unknown_key"
    if pair.device != device:
        return None, "wrong_device"
    return pair, "" if pair.good else "revoked_key"


def _content(payload: bytes, value: Any, address: tuple[str, str, str]) -> Expected:
    if value is REFUSED:
        return Expected({"malformed"}, parsed=True, signed=True)
    reasons = reference.faults(address[2], value)
    if not reasons and value[2] != address[1]:
        reasons = {"wrong_device"}
    return Expected(reasons, parsed=True, signed=True, payload=payload, value=value, address=address)


def _through(stages: list[Any], message: Message) -> Item:
    batch = Batch.of([Received(message.shard, message.topic, message.data, 1, 1, ARRIVAL_MS)])
    for stage in stages:
        stage(batch)
    return batch.items[0]


# --- what was taken --------------------------------------------------------------------------------

_PLAIN = {
    "boot": 4, "seq": 6, "uptime_ms": 7, "wall_ms": 8, "session": 11,
}  # fmt: skip


def _check_frame(taken: Frame, held: list[Any], expected: Expected, seen: register_model.Seen) -> None:
    value, (shard, device, kind) = expected.value, expected.address
    demand((taken.shard, taken.device, taken.kind) == (shard, device, kind), "taken for another topic")
    demand(bytes.fromhex(taken.incarnation) == value[3], "another incarnation")
    demand(bytes.fromhex(taken.kernel_boot) == value[5], "another kernel boot id")
    for name, key in _PLAIN.items():
        demand(same(getattr(taken, name), value.get(key)), f"another {name}")
    demand(same(taken.dropped, value.get(10, {})) and taken.stop is value.get(13, False), "another account")
    demand(all(same(taken.hello[key], value[12].get(key)) for key in taken.hello), "another hello")
    keep, hold = register_model.stored(device, value.get(9, []), seen)
    demand(repr([_parts(table) for table in taken.tables]) == repr(keep), "tables taken otherwise")
    if taken.usual is not None:
        values = [value for table in taken.tables for row in table.rows for value in row]
        demand(taken.usual.tables is taken.tables and taken.usual.values == values, "other values at once")
    demand(repr([_parts(table) for table, _ in held]) == repr(hold), "tables held otherwise")
    if rare(expected.payload):
        _resealed(kind, value)


def _in_place(kind: str, names: dict[str, Any], encoded: bytes) -> None:
    """What a small heap appends to a buffer, its tables encoded before, are the same bytes."""
    tables = names["tables"]
    written = cbor.Encoded(lambda out: cbor.write(out, tables))
    out = bytearray(b"before")
    frame.encode_payload(kind, **names | ({"tables": written} if tables else {}), out=out)
    demand(out == b"before" + encoded, "a payload encoded otherwise in place")


def _parts(table: Table) -> tuple[Any, ...]:
    return (table.measurement, table.instance, table.fields, tuple(map(tuple, table.rows)))


def _bare(taken: Frame | None) -> Any:
    """Return a frame without how it was checked: a replay may go the short way."""
    tables = [_parts(table) for table in taken.tables] if taken else None
    return taken and taken._replace(tables=(), usual=None), tables


def _resealed(kind: str, value: dict[int, Any]) -> None:
    """What the device's encoder makes of a taken payload is the same payload without unknown keys."""
    checked = frame.check_payload(kind, value)
    names = vars(checked) | {"hello": checked.hello if 12 in value else None}
    names.pop("version")
    encoded = frame.encode_payload(kind, **names)
    _in_place(kind, names, encoded)
    again = reference.decode(encoded)
    empty = {key for key in (9, 10) if not value.get(key)}
    known = {key: value[key] for key in value.keys() & set(range(1, 14)) - empty}
    demand(same(again, known), "a payload encoded otherwise")
