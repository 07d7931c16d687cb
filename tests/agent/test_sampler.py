"""The sampler in virtual time: failing, hanging, slow and flapping readers."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

import pytest

from agent.errors import ReaderError
from agent.log import Log
from agent.power import PowerWatch
from agent.sampler import EVENT_BURST, MAX_PENDING, Sampler
from agent.samples import Sample, Waiting, clean, halves, packed, tables, unpacked
from agent.wire import cbor, frame
from agent.wire.errors import WireError
from tests.agent.virtual import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.readers.port import Row

Rows = list["Row"]


class ScriptedReader:
    """Returns what ``script`` returns for the n-th read."""

    def __init__(self, name: str, script: Callable[[int], Any], watch_ms: int = 0) -> None:
        self.name = name
        self.interval_ms = 10_000
        self.watch_ms = watch_ms
        self.watched = ("carrier",)
        self.reads = 0
        self.closed = False
        self._script = script

    async def read(self) -> Rows:
        self.reads += 1
        result = self._script(self.reads)
        if isinstance(result, Exception):
            raise result
        if asyncio.isfuture(result) or asyncio.iscoroutine(result):
            return await result  # type: ignore[no-any-return]  # a script may return anything
        return result  # type: ignore[no-any-return]  # same

    async def close(self) -> None:
        self.closed = True


class Bench:
    def __init__(self, *readers: ScriptedReader) -> None:
        self.clock = VirtualClock()
        self.events: list[list[Sample]] = []
        self.log = Log(self.clock.uptime_ms, lambda _line: None)
        self.sampler = Sampler(self.clock, list(readers), self.log, self._event)

    async def _event(self, samples: list[Sample]) -> None:
        self.events.append(samples)

    async def run(self, duration_ms: int) -> list[Sample]:
        self.sampler.start()
        await self.clock.advance(duration_ms)
        return list(unpacked(self.sampler.take()))


def load(_read: int) -> Rows:
    return [("system", None, {"load1": 1.0})]


def carrier(value: int) -> Rows:
    return [("net", "eth0", {"carrier": value, "bytes_recv": 1})]


def of(samples: list[Sample], measurement: str, instance: str | None = None) -> list[Sample]:
    return [s for s in samples if s.measurement == measurement and s.instance == instance]


def test_every_reader_is_read_at_its_interval_without_drift():
    async def run() -> None:
        bench = Bench(ScriptedReader("host", load))
        start_ms = bench.clock.now_ms
        samples = await bench.run(60_000)
        times = [s.uptime_ms - start_ms for s in of(samples, "system")]
        assert times == [0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000]
        assert {s.fields["reader_ok"] for s in of(samples, "agent", "host")} == {1}
        await bench.sampler.stop()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (ReaderError("no_file", "gone"), "reader_bad"),
        (RuntimeError("a bug"), "reader_bad"),
        (None, "reader_bad"),
    ],
)
def test_a_reader_that_fails_or_hangs_costs_its_own_data_only(trouble, reason):
    async def run() -> None:
        def script(_read: int) -> Any:
            return trouble or asyncio.get_running_loop().create_future()

        bench = Bench(ScriptedReader("bad", script), ScriptedReader("host", load))
        samples = await bench.run(60_000)
        assert len(of(samples, "system")) == 7
        bad = of(samples, "agent", "bad")
        assert len(bad) >= 3
        assert {s.fields["reader_ok"] for s in bad} == {0}
        assert [s.fields["reader_failures"] for s in bad] == list(range(1, len(bad) + 1))
        assert bench.log.counts[reason] >= 3
        await bench.sampler.stop()

    asyncio.run(run())


def test_readers_that_are_due_together_are_read_one_after_another():
    async def run() -> None:
        bench = Bench()
        going: list[str] = []
        most: list[int] = []

        def script(name: str) -> Callable[[int], Any]:
            async def reading() -> Rows:
                going.append(name)
                most.append(len(going))
                await bench.clock.sleep_ms(50)
                going.remove(name)
                return load(0)

            return lambda _read: reading()

        bench = Bench(*[ScriptedReader(name, script(name)) for name in ("host", "wan", "wifi")])
        samples = await bench.run(31_000)
        assert most == [1] * 12
        assert len(of(samples, "system")) == 12
        await bench.sampler.stop()

    asyncio.run(run())


def test_a_slow_reader_skips_the_times_it_missed():
    async def run() -> None:
        bench = Bench()

        async def slow() -> Rows:
            await bench.clock.sleep_ms(4000)
            return carrier(1)

        reader = ScriptedReader("slow", lambda _read: slow(), watch_ms=2000)
        bench = Bench(reader)
        samples = await bench.run(60_000)
        assert 10 <= reader.reads <= 16
        assert {s.fields["reader_ms"] for s in of(samples, "agent", "slow")} == {4000}
        await bench.sampler.stop()

    asyncio.run(run())


def test_what_turns_is_an_event_at_once_and_not_a_sample_too():
    async def run() -> None:
        reader = ScriptedReader("net", lambda read: carrier(1 if read < 4 else 0), watch_ms=2000)
        bench = Bench(reader)
        start_ms = bench.clock.now_ms
        samples = await bench.run(20_000)
        (event,) = bench.events
        assert [(s.uptime_ms - start_ms, s.fields["carrier"]) for s in event] == [(6000, 0)]
        assert [s.uptime_ms - start_ms for s in of(samples, "net", "eth0")] == [0, 10_000, 20_000]
        await bench.sampler.stop()

    asyncio.run(run())


def test_a_failure_between_two_equal_readings_is_no_event():
    async def run() -> None:
        reader = ScriptedReader(
            "net", lambda read: ReaderError("no_file") if read == 2 else carrier(1), watch_ms=2000
        )
        bench = Bench(reader)
        await bench.run(20_000)
        assert bench.events == []
        await bench.sampler.stop()

    asyncio.run(run())


def test_what_flaps_for_long_goes_into_data_instead_and_nothing_is_lost():
    async def run() -> None:
        reader = ScriptedReader("net", lambda read: carrier(read % 2), watch_ms=2000)
        bench = Bench(reader)
        samples = await bench.run(120_000)
        assert EVENT_BURST <= len(bench.events) <= EVENT_BURST + 8
        assert len(bench.events) + len(of(samples, "net", "eth0")) == reader.reads == 61
        await bench.sampler.stop()

    asyncio.run(run())


def test_each_ten_percent_on_battery_is_an_event():
    async def run() -> None:
        def script(read: int) -> Rows:
            return [("upsd", "ups", {"ob": 1, "battery_charge_percent": 100.0 - read})]

        bench = Bench(ScriptedReader("ups", script, watch_ms=2000))
        await bench.run(70_000)
        assert bench.sampler.power.on_battery()
        assert [event[0].fields["battery_charge_percent"] for event in bench.events] == [89.0, 79.0, 69.0]
        await bench.sampler.stop()

    asyncio.run(run())


def test_charge_on_mains_is_no_event_and_an_unreadable_ups_stays_on_battery():
    power = PowerWatch()
    assert not power.observe([Sample(0, "upsd", "a", {"ob": 0, "battery_charge_percent": 95})])
    assert not power.observe([Sample(0, "upsd", "a", {"ob": 0, "battery_charge_percent": 85})])
    assert not power.on_battery()
    power.observe([Sample(0, "upsd", "a", {"ob": 1})])
    power.observe([Sample(0, "upsd", "a", {"server_lost": 1})])
    assert power.on_battery()
    power.observe([Sample(0, "upsd", "a", {"ob": 0})])
    assert not power.on_battery()


def test_stopping_closes_readers_and_ends_their_tasks():
    async def run() -> None:
        hanging = ScriptedReader("bad", lambda _read: asyncio.get_running_loop().create_future())
        bench = Bench(hanging)
        await bench.run(1)
        await bench.sampler.stop()
        assert hanging.closed
        await bench.clock.settle()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())


@pytest.mark.parametrize(("measurement", "field"), [("mains", "voltage"), ("upsd", "input_voltage")])
def test_a_dangerous_voltage_is_told_at_once_and_not_for_ever(measurement, field):
    power = PowerWatch()

    def told(volts: float) -> bool:
        return power.observe([Sample(0, measurement, "a", {field: volts})])

    assert [told(volts) for volts in (127.0, 145.9, 146.0, 180.0, 181.0, 182.0)] == [False] * 2 + [
        True
    ] * 3 + [False]
    assert [told(volts) for volts in (127.0, 150.0)] == [False, True]


def test_samples_that_no_frame_takes_are_bounded_and_counted():
    async def run() -> None:
        bench = Bench(ScriptedReader("host", lambda _read: load(0) * 1000))
        samples = await bench.run(60_000)
        assert len(samples) == MAX_PENDING
        assert bench.sampler.lost == 7 * 1001 - MAX_PENDING
        await bench.sampler.stop()

    asyncio.run(run())


@pytest.mark.parametrize(
    "bad",
    [
        ("Net", "eth0", {"carrier": 1}),
        ("net", "", {"carrier": 1}),
        ("net", "eth0", {"Carrier": 1}),
        ("net", "eth\n0", {"carrier": 1}),
        ("net", "eth0"),
        ("net", "eth0", None),
        None,
    ],
)
def test_a_row_that_the_wire_cannot_carry_is_refused_alone(bad):
    samples, refused = clean(5, [bad, ("net", "eth0", {"carrier": 1})])
    assert [s.fields for s in samples] == [{"carrier": 1}]
    assert refused == 1


def test_values_that_cbor_cannot_carry_are_left_out():
    values: dict[str, Any] = {
        "a": math.nan,
        "b": math.inf,
        "c": 1 << 63,
        "d": "x" * 300,
        "e": b"x",
        "f": True,
        "g": 2,
    }
    samples, refused = clean(5, [("net", "eth0", values)])
    assert [s.fields for s in samples] == [{"f": 1, "g": 2}]
    assert refused == 0


def decoded(samples: Sequence[Sample], sealed_ms: int) -> list[Any]:
    made = tables(packed(samples), sealed_ms)
    assert made is not None
    found: list[Any] = cbor.decode(cbor.encode(made))
    return found


def parts_of(parts: list[Any]) -> list[tuple[int, str, str | None, dict[str, Any]]]:
    return [(each.uptime_ms, each.measurement, each.instance, each.fields) for each in unpacked(parts)]


def test_what_waits_is_what_was_read():
    waiting = Waiting(9)
    fields: dict[str, Any] = {"a": 1, "b": -2.5, "c": "text", "d": 1 << 40}
    for sample in (Sample(7, "ups", "x", fields), Sample(8, "ups", "x", fields)):
        assert waiting.add(sample) == 0
    (first,) = parts = waiting.take()
    assert parts_of(parts) == [(7, "ups", "x", fields), (8, "ups", "x", fields)]
    assert waiting.take() == []
    waiting.add(Sample(9, "ups", "x", fields))
    (second,) = waiting.take()
    assert second[0] is first[0]


def test_the_oldest_goes_for_what_is_too_much_whosever_it_is():
    waiting = Waiting(2)
    gone = [waiting.add(Sample(at, "net", name, {"up": at})) for at, name in enumerate("abaacc")]
    assert gone == [0, 0, 1, 1, 1, 1]
    assert parts_of(waiting.take()) == [(4, "net", "c", {"up": 4}), (5, "net", "c", {"up": 5})]
    waiting.add(Sample(6, "net", "a", {"up": 6}))
    assert [each[0] for each in parts_of(waiting.take())] == [6]


def test_halves_are_all_of_it():
    parts = packed([Sample(at, "net", name, {"up": at}) for at in range(5) for name in "abc"])
    rest, ones = [parts], []
    while rest:
        part = rest.pop()
        two = halves(part)
        ones += [] if two else parts_of(part)
        rest += two or ()
    assert len(ones) == 15
    assert sorted(map(repr, ones)) == sorted(map(repr, parts_of(parts)))


def test_tables_have_one_row_a_sample_and_null_for_what_is_missing():
    samples = [
        Sample(100, "net", "eth0", {"carrier": 1}),
        Sample(200, "net", "eth1", {"carrier": 0}),
        Sample(300, "net", "eth0", {"carrier": 1, "speed": 100}),
    ]
    made = decoded(samples, 400)
    assert made == [
        ["net", "eth0", ["carrier", "speed"], [[-300, 1, None], [-100, 1, 100]]],
        ["net", "eth1", ["carrier"], [[-200, 0]]],
    ]
    for table in made:
        frame.check_table(table)


def test_tables_that_are_too_long_say_so():
    made = tables(packed([Sample(0, "net", None, {"text": "x" * 100})]), 0, 100)
    with pytest.raises(WireError) as caught:
        cbor.encode(made)
    assert caught.value.reason == "oversized"


def test_more_fields_than_a_table_takes_make_two_tables():
    samples = [
        Sample(0, "net", None, {f"a{i}": 1 for i in range(60)}),
        Sample(0, "net", None, {f"b{i}": 1 for i in range(60)}),
    ]
    made = decoded(samples, 0)
    assert len(made) == 2
    for table in made:
        frame.check_table(table)


class Told:
    """A reader whose system tells of a turn: ``turn`` is set by the test."""

    name = "told"
    interval_ms = 10_000
    watch_ms = 2_000
    watched = ("carrier",)

    def __init__(self) -> None:
        self.value = 1
        self.turn = asyncio.Event()
        self.reads = 0

    async def read(self):
        self.reads += 1
        return carrier(self.value)

    async def wait_turn(self, limit_ms: int) -> None:
        await self.turn.wait()


def test_a_turn_that_the_system_tells_of_is_read_at_once_but_never_in_a_busy_loop():
    async def run() -> None:
        reader = Told()
        bench = Bench(reader)  # type: ignore[arg-type]  # another kind of reader
        await bench.run(500)
        assert reader.reads == 1
        reader.value = 0
        reader.turn.set()
        await bench.clock.advance(1000)
        assert [sample.fields["carrier"] for (sample,) in bench.events] == [0]
        assert 2 <= reader.reads <= 12  # one read every 100 ms at most
        await bench.sampler.stop()

    asyncio.run(run())
