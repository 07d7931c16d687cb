"""A copied unit is found by its two voices; a restart, a backlog, a rolled back counter are not one."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from collector.ingest import order, tail
from collector.ingest.clones import OVERLAP_MS
from collector.model import Readings, Suspect
from collector.storage.state import Incarnation
from tests.ingest.world import START_MS, Sealer, World

MINUTE_MS = 60_000
NO_TABLES = {"tables": None}


def clones(world):
    return [o.device for _, o in world.judge.told if isinstance(o, Suspect) and o.reason == "clone"]


def speak(world, unit, seq, **how):
    """A live frame of a unit, now."""
    now = world.clock.now_ms()
    frame = unit.seal("birth", now, seq=seq, session=1) if seq == 0 else unit.data(seq, now)
    assert world.take(frame, **how) == [("stored", "")]


def copy_of(unit, name=b"inc-copy", **how):
    """A second machine with the same card: the key and the counter are the same, the kernel is another."""
    other = unit.restarted(name, boot=unit.boot, kernel_boot=b"kernel-boot-copy")
    other.started_ms = START_MS - 3_600_000
    for key, value in how.items():
        setattr(other, key, value)
    return other


@pytest.mark.parametrize("clock_ms", [0, None, 40_000])
@pytest.mark.parametrize("boots", [(1, 1), (5, 2), (2, 5)])
def test_two_that_take_turns_are_a_clone(world, device, clock_ms, boots):
    device.clock_ms, device.boot = clock_ms, boots[0]
    other = copy_of(device, boot=boots[1])
    for turn in range(5):
        speak(world, device, turn)
        world.clock.step(15_000)
        speak(world, other, turn)
        world.clock.step(15_000)
    assert clones(world) == []  # a minute and a half may be the backlog of a restart
    for turn in range(5, 12):
        speak(world, device, turn)
        world.clock.step(15_000)
        speak(world, other, turn)
        world.clock.step(15_000)
    assert set(clones(world)) == {"r1"}


def test_the_slow_backlog_of_an_undated_start_is_not(world, device):
    """Its frames come one a second, while they were sealed 30 s apart."""
    device.boot = 9
    lost = copy_of(device, b"inc-lost", boot=2, clock_ms=None, started_ms=START_MS - 86_400_000)
    for number in range(30):
        speak(world, device, number)
        for step in range(3):
            seq = 1 + number * 3 + step
            world.take(lost.data(seq, START_MS - 7_200_000 + seq * 30_000))
            world.clock.step(10_000)
    assert clones(world) == []


def test_three_copies_are_found_too(world, device):
    units = [device, copy_of(device, b"inc-cop2"), copy_of(device, b"inc-cop3")]
    for turn in range(20):
        speak(world, units[turn % 3], turn // 3)
        world.clock.step(20_000)
    assert clones(world)


def test_a_copy_that_speaks_seldom_is_found(world, device):
    other = copy_of(device)
    for turn in range(40):
        speak(world, device, turn)
        if turn % 10 == 0:
            speak(world, other, turn // 10)
        world.clock.step(30_000)
    assert clones(world)


def test_it_is_found_across_restarts_of_the_ingest(world, device):
    other = copy_of(device)
    for turn in range(12):
        speak(world, device if turn % 2 else other, turn // 2)
        world.clock.step(20_000)
        world.restart()
    assert clones(world)


def test_a_restart_with_its_backlog_is_not(world, device):
    now = START_MS
    speak(world, device, 0)
    backlog = [device.data(seq, now + seq * 30_000) for seq in range(1, 21)]
    world.clock.step(20 * 30_000 + 5_000)
    again = device.restarted(b"inc-0002", boot=2)
    speak(world, again, 0)
    for seq, frame in enumerate(reversed(backlog), start=1):  # the newest first, live frames in between
        world.take(frame)
        world.clock.step(7_000)
        speak(world, again, seq)
    assert clones(world) == []
    assert world.state(device).incarnation == again.incarnation.hex()


def test_two_units_under_two_keys_are_not(world, device):
    spare = Sealer(incarnation=b"inc-new1")
    world.enrol(spare, from_ms=START_MS)
    world.clock.step(5_000)
    for turn in range(12):
        speak(world, device, turn)
        speak(world, spare, turn)
        world.clock.step(30_000)
    assert clones(world) == []


def test_what_the_broker_held_back_says_nothing(world, device):
    other = copy_of(device)
    for turn in range(12):
        speak(world, device, turn)
        speak(world, other, turn, live=False)
        world.clock.step(30_000)
    assert clones(world) == []


# --- the counter rolled back --------------------------------------------------------------------------


@pytest.mark.parametrize("clock_ms", [0, None])
@pytest.mark.parametrize("same_kernel", [True, False])
def test_a_rolled_back_counter_is_no_clone_and_becomes_current(world, device, clock_ms, same_kernel):
    device.boot, device.clock_ms = 50, clock_ms
    for seq in range(10):
        speak(world, device, seq)
        world.clock.step(30_000)
    world.clock.step(40_000)
    kernel = None if same_kernel else b"kernel-boot-0002"
    reset = device.restarted(b"inc-0002", boot=3, kernel_boot=kernel)
    if not same_kernel:
        reset.started_ms = world.clock.now_ms() - 20_000
    world.judge.told.clear()
    for seq in range(10):
        speak(world, reset, seq)
        world.clock.step(30_000)
    assert clones(world) == []
    assert world.state(device).incarnation == reset.incarnation.hex()
    assert all(o.current for _, o in world.judge.told if isinstance(o, Readings))
    third = reset.restarted(b"inc-0003", boot=4)
    speak(world, third, 0)
    assert world.state(device).incarnation == third.incarnation.hex()


def test_an_old_backlog_does_not_pass_for_a_rolled_back_counter(world, device):
    device.boot = 50
    old = device.restarted(b"inc-0000", boot=3, kernel_boot=b"kernel-boot-0000")
    for clock_ms in (0, None):
        old.clock_ms = clock_ms
        birth = old.seal("birth", START_MS - 3_600_000, seq=5 if clock_ms is None else 0, session=1)
        speak(world, device, 0 if clock_ms == 0 else 7)
        world.clock.step(5_000)
        world.take(birth)
        assert world.state(device).incarnation == device.incarnation.hex()


@pytest.mark.parametrize("clock_ms", [0, None])
@pytest.mark.parametrize("same_kernel", [True, False])
def test_the_backlog_from_before_the_counter_was_rolled_back(world, device, clock_ms, same_kernel):
    """It was never heard before and its counter is higher, yet it is history and not dated by its arrival."""
    device.boot, device.clock_ms = 50, clock_ms
    backlog = [device.data(seq, START_MS + seq * 30_000) for seq in range(5)]
    world.clock.step(600_000)
    reset = device.restarted(b"inc-0002", boot=3, kernel_boot=None if same_kernel else b"kernel-boot-0002")
    if not same_kernel:
        reset.started_ms = world.clock.now_ms() - 20_000
    speak(world, reset, 0)
    world.judge.told.clear()
    for frame in reversed(backlog):
        world.clock.step(2_000)
        world.take(frame)
    assert not any(o.current for _, o in world.judge.told if isinstance(o, Readings))
    assert world.state(device).incarnation == reset.incarnation.hex()
    truth = clock_ms == 0 or same_kernel
    assert world.incarnation(device).anchor_source == (
        "synced" if clock_ms == 0 else "arrival" if truth else "bounded"
    )
    assert max(time_ms for time_ms, _ in world.points()) <= (
        START_MS + 120_000 if truth else reset.started_ms
    )
    speak(world, reset, 1)
    assert world.state(device).seq == 1


def test_a_clone_is_not_taken_for_a_succession(world, device):
    """Two that connect in turns must not push each other's place up for ever."""
    other = copy_of(device)
    for session in range(1, 30):
        unit = device if session % 2 else other
        world.take(unit.seal("birth", world.clock.now_ms(), seq=session, session=session))
        world.clock.step(20_000)
    assert clones(world)
    orders = [world.incarnation(unit).order for unit in (device, other)]
    assert abs(orders[0] - orders[1]) == 1


# --- any history of one unit, and any of two ----------------------------------------------------------


@dataclass
class Unit:
    """A machine with a random life: restarts, reboots, breaks of the link, a clock or none."""

    world: World
    sealer: Sealer
    seed: random.Random
    starts: int = 0
    seq: int = 0
    spool: list[tuple[str, bytes]] = field(default_factory=list)

    def start(self, *, reboot: bool) -> None:
        self.starts += 1
        kernel = self.seed.randbytes(16) if reboot else None
        boot = self.seed.choice([self.sealer.boot + 1, self.sealer.boot + 1, max(0, self.sealer.boot - 3)])
        now = self.world.clock.now_ms()
        self.sealer = self.sealer.restarted(self.seed.randbytes(8), boot=boot, kernel_boot=kernel)
        if reboot:
            self.sealer.started_ms = now - self.seed.randrange(5_000, 40_000)
            self.sealer.clock_ms = self.seed.choice([0, 0, -50_000, 50_000, None])
        self.seq = 0

    def seal(self) -> None:
        now = self.world.clock.now_ms()
        kind = "birth" if self.seq == 0 else "data"
        values = {"session": 1} if kind == "birth" else {"tables": [["system", None, ["load1"], [[0, 1.0]]]]}
        self.spool.append(self.sealer.seal(kind, now, seq=self.seq, **values))
        self.seq += 1

    def deliver(self, *, most: int = 8) -> None:
        """The newest first, then some of the rest."""
        for _ in range(min(most, len(self.spool))):
            self.world.take(self.spool.pop())


def live(unit: Unit, steps: list[str]) -> None:
    for step in steps:
        unit.world.clock.step(unit.seed.randrange(5_000, 31_000))
        if step == "restart":
            unit.start(reboot=False)
        elif step == "reboot":
            unit.world.clock.step(25_000)
            unit.start(reboot=True)
        unit.seal()
        if step != "offline":
            unit.deliver()


STEPS = st.lists(
    st.sampled_from(["on", "on", "on", "on", "offline", "offline", "restart", "reboot"]),
    min_size=5,
    max_size=40,
)


@settings(max_examples=8, deadline=None)
@given(steps=STEPS, seed=st.integers(0, 1 << 30))
def test_no_life_of_one_unit_is_a_clone(tmp_path_factory, steps, seed):
    sealer = Sealer()
    world = World(tmp_path_factory.mktemp("life"), [sealer])
    unit = Unit(world, sealer, random.Random(seed))  # noqa: S311 - a test's choices
    live(unit, steps)
    assert clones(world) == []
    world.close()


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1 << 30))
def test_any_lives_of_two_copies_are(tmp_path_factory, seed):
    chance, sealer = random.Random(seed), Sealer()  # noqa: S311 - a test's choices
    world = World(tmp_path_factory.mktemp("lives"), [sealer])
    units = [Unit(world, sealer, chance), Unit(world, copy_of(sealer), chance)]
    world.clock.step(1_000)
    begun = world.clock.now_ms()
    while world.clock.now_ms() - begun < 4 * OVERLAP_MS:
        unit = chance.choice(units)
        unit.seal()
        unit.deliver()
        world.clock.step(chance.randrange(3_000, 20_000))
    assert clones(world)
    world.close()


# --- incarnations beyond number -----------------------------------------------------------------------


def count_incarnations(world):
    with Session(world.engine) as session:
        return session.scalar(select(func.count()).select_from(Incarnation))


def test_incarnations_are_bounded_and_the_forgotten_are_not_judged(world, device, monkeypatch):
    monkeypatch.setattr(order, "MAX_INCARNATIONS", 8)
    runs = [device.restarted(b"inc-%04d" % n, boot=n) for n in range(1, 21)]
    for run in runs:
        speak(world, run, 0)
        world.clock.step(30_000)
    assert count_incarnations(world) == 8
    world.clock.step(60_000)
    sent = len(world.post.sent)
    refused = ("refused", "too_old_to_judge")
    again = runs[0].seal("birth", START_MS, seq=0, session=1)
    assert world.take(again, runs[0].data(1), runs[0].seal("death", session=1)) == [refused] * 3
    assert [row.reason for row in world.quarantined()] == ["too_old_to_judge"] * 3
    assert world.acks(device)[sent:][-1].refused == [[0, 1, "too_old_to_judge"]]
    assert world.state(device).incarnation == runs[-1].incarnation.hex()


@pytest.mark.parametrize("clock_ms", [0, None])
def test_below_the_forgotten_a_rolled_back_counter_still_speaks(world, device, monkeypatch, clock_ms):
    monkeypatch.setattr(order, "MAX_INCARNATIONS", 4)
    device.clock_ms = clock_ms
    for number in range(10, 20):
        run = device.restarted(b"inc-%04d" % number, boot=number)
        speak(world, run, 0)
        world.clock.step(40_000)
    reset = copy_of(device, b"inc-rset", boot=1)
    speak(world, reset, 0)
    world.clock.step(10_000)
    speak(world, reset, 1)
    assert world.state(device).incarnation == reset.incarnation.hex()
    assert clones(world) == []


# --- a seq in use twice -------------------------------------------------------------------------------

OTHER = [["system", None, ["load1"], [[0, 1.0]]]]
REUSED = [("refused", "seq_reused")]


@pytest.mark.parametrize("restart", [True, False])
def test_other_content_under_a_seq_is_told_after_a_restart_too(world, device, restart):
    frames = [device.data(seq) for seq in range(100)]
    world.take(*frames)
    if restart:
        world.restart()
    world.clock.step(60_000)
    for seq in (99, 40):
        assert world.take(device.data(seq, tables=OTHER)) == REUSED
        assert world.take(frames[seq]) == [("duplicate", "")]
    assert {o.reason for _, o in world.judge.told if isinstance(o, Suspect)} == {"seq_reused"}
    assert world.acks(device)[-1].refused == [[99, 99, "seq_reused"]] or world.post.sent


def test_an_incarnation_drawn_twice_is_told_at_any_depth(world, device):
    world.take(*[device.data(seq, START_MS + seq) for seq in range(100)])
    world.restart()
    world.clock.step(60_000)
    assert world.take(device.data(2, START_MS + 30_000, tables=OTHER)) == REUSED
    rebooted = device.restarted(device.incarnation, boot=2, kernel_boot=b"kernel-boot-0002")
    assert world.take(rebooted.data(3, START_MS + 30_000), rebooted.data(500)) == REUSED * 2


def test_within_one_batch(world, device):
    assert world.take(device.data(0), device.data(0, tables=OTHER), device.data(0)) == [
        ("stored", ""),
        *REUSED,
        ("duplicate", ""),
    ]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 300), min_size=1, max_size=60, unique=True), st.data())
def test_a_tail_never_calls_the_same_different(seqs, data):
    kept, told = b"", {}
    for seq in seqs:
        told[seq] = data.draw(st.binary(min_size=32, max_size=32))
        kept = tail.note(kept, seq, 1000 * seq, told[seq])
    assert not any(tail.differs(kept, seq, 1000 * seq, digest) for seq, digest in told.items())
    head = max(seqs)
    assert tail.head_uptime_ms(kept) == 1000 * head
    assert len(kept) == 16 + 4 * tail.WINDOW
    for seq in seqs:
        at = seqs.index(seq)
        # it was within the window when it came, and still is
        if head - tail.WINDOW < seq and seq > max(seqs[: at + 1]) - tail.WINDOW:
            wrong = bytes([told[seq][0] ^ 1]) + told[seq][1:]
            assert tail.differs(kept, seq, 1000 * seq, wrong) or not any(told[seq][:3])
        assert seq == head or tail.differs(kept, seq, 1000 * head + 1, told[seq])
