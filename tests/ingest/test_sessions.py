"""The session of a device is the maximum of what was said, in whatever order it comes."""

from __future__ import annotations

from itertools import combinations, permutations
from types import SimpleNamespace

import pytest

from collector.ingest import sessions
from collector.model import Born, Died
from collector.storage.state import DeviceState
from tests.ingest.world import Sealer, World

# what is said, and what is known once all of it came, in any order: (session, phase)
CASES: dict[str, tuple[list[tuple[str, int | None]], tuple[int, str]]] = {
    "born": ([("birth", 1)], (1, "birth")),
    "born and died": ([("birth", 1), ("death", 1)], (1, "death")),
    "taken over: the old will comes late": ([("birth", 1), ("birth", 2), ("death", 1)], (2, "birth")),
    "two whole sessions": ([("birth", 1), ("death", 1), ("birth", 2), ("death", 2)], (2, "death")),
    "a will alone": ([("death", 3)], (3, "death")),
    "said twice": ([("birth", 2), ("birth", 2), ("death", 1), ("death", 1)], (2, "birth")),
    "a planned stop": ([("birth", 1), ("stop", None)], (1, "stop")),
    "a stop and an old will": ([("birth", 1), ("birth", 2), ("death", 1), ("stop", None)], (2, "stop")),
}


@pytest.fixture(scope="module")
def pairs():
    """An older and a newer incarnation of one device."""
    old = Sealer(incarnation=b"inc-0001", boot=1)
    return old, old.restarted(b"inc-0002", boot=2)


def seal(device, said, seq):
    what, session = said
    if what == "stop":
        return device.seal("event", seq=seq, stop=True)
    return device.seal(what, session=session, **({"seq": seq} if what == "birth" else {}))


@pytest.mark.parametrize("case", CASES)
def test_all_orders_end_the_same(tmp_path, case):
    said, expected = CASES[case]
    for number, order in enumerate(set(permutations(range(len(said))))):
        folder = tmp_path / str(number)
        folder.mkdir()
        device = Sealer()
        world = World(folder, [device])
        frames = [seal(device, said[at], at) for at in range(len(said))]
        for at in order:
            world.take(frames[at])
        state = world.state(device)
        seen_birth = any(said[at][0] == "birth" for at in order)
        session, phase = expected
        assert state.session_phase == phase, order
        if phase != "stop":  # after a stop the number of the session says nothing more
            assert state.session == session, order
        told = [o for _, o in world.judge.told if isinstance(o, Born | Died)]
        assert isinstance(told[-1], Died if phase != "birth" else Born)
        assert seen_birth or not any(isinstance(o, Born) for o in told)
        world.close()


def test_incarnations_rank_before_sessions(tmp_path, pairs):
    old, new = pairs
    frames = [
        old.seal("birth", seq=0, session=7),
        old.seal("death", session=7),
        new.seal("birth", seq=0, session=1),
        old.seal("event", seq=9, stop=True),
    ]
    for number, order in enumerate(permutations(frames)):
        folder = tmp_path / str(number)
        folder.mkdir()
        world = World(folder, [old])
        for frame in order:
            world.take(frame)
        state = world.state(old)
        assert (state.session, state.session_phase) == (1, "birth")
        told = [o for _, o in world.judge.told if isinstance(o, Born | Died)]
        assert isinstance(told[-1], Born)
        world.close()


def test_a_death_is_neither_acked_nor_history(world, device):
    world.take(device.data(5))
    assert world.take(device.seal("death", session=1)) == [("stored", "")]
    assert world.take(device.seal("death", session=1)) == [("duplicate", "")]
    assert world.judge.names()[-1] == "Died"
    assert world.judge.names().count("Died") == 1
    assert world.incarnation(device).stored == [[5, 5]]
    assert [ack.stored for ack in world.acks(device)] == [[[5, 5]]]


def test_a_planned_stop_is_told_as_planned(world, device):
    world.take(device.seal("birth", seq=0), device.seal("event", seq=1, stop=True))
    [died] = [o for _, o in world.judge.told if isinstance(o, Died)]
    assert died.planned
    world.take(device.seal("death", session=1))  # the will of a stopped agent says nothing more
    assert world.judge.names().count("Died") == 1


def test_ranks():
    assert sessions.Rank(1, False, 9, 2) < sessions.Rank(1, True, 0, 2) < sessions.Rank(2, False, 0, 1)


# --- every order of what one and two agents can say ---------------------------------------------------

SAID: tuple[tuple[int, str, int], ...] = (  # (incarnation's order, what, session)
    (1, "birth", 1), (1, "death", 1),  # a session and its end
    (1, "birth", 2),  # a takeover: the same agent connects again
    (1, "death", 2),  # its will, which may come late
    (1, "birth", 2),  # sent again
    (2, "birth", 1),  # the agent restarted
)  # fmt: skip


def frame_of(said):
    order, what, session = said
    kind = "event" if what == "stop" else what
    return SimpleNamespace(
        kind=kind, session=session, stop=what == "stop", device="r1", arrival_ms=order * 10 + session,
        kernel_boot="k", hello={"order": order, "session": session}, incarnation=str(order), kid="k1",
    )  # fmt: skip


def blank():
    return DeviceState(session_order=-1, session=-1, session_phase="none", hello={})


def rank(said):
    """The table of the module, written a second time."""
    order, what, session = said
    return (order, 1 if what == "stop" else 0, 0 if what == "stop" else session, 1 if what == "birth" else 2)


def play(order):
    state, told = blank(), []
    for said in order:
        change = sessions.advance(frame_of(said), said[0], state)
        if change is not None:
            told.append((said, change))
    return state, told


@pytest.mark.parametrize("size", range(1, len(SAID) + 1))
@pytest.mark.parametrize("stop", [False, True])
def test_every_permutation_of_every_choice_follows_the_table(size, stop):
    said_all = (*SAID, (1, "stop", 0)) if stop else SAID
    for chosen in {tuple(sorted(choice)) for choice in combinations(said_all, size)}:
        highest = max(chosen, key=rank)
        for order in set(permutations(chosen)):
            state, told = play(order)
            # the end is the maximum, whatever the order
            assert sessions.known(state) == sessions.said(frame_of(highest), highest[0])
            # only what is news is told, each at most once, and ever higher
            ranks = [rank(said) for said, _ in told]
            assert ranks == sorted(set(ranks))
            assert told[-1][0] == highest
            # a death that is late, or said twice, tells nothing
            for said, change in told:
                assert isinstance(change, Born if said[1] == "birth" else Died)
                assert not isinstance(change, Died) or change.planned == (said[1] == "stop")


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("before", SAID)
def test_pairs(before, said):
    """The table row by row: what is not higher changes nothing at all."""
    state, _ = play([before])
    kept = (state.session_order, state.session, state.session_phase, state.hello)
    change = sessions.advance(frame_of(said), said[0], state)
    if rank(said) <= rank(before):
        assert change is None
        assert (state.session_order, state.session, state.session_phase, state.hello) == kept
    else:
        assert change is not None
        assert (state.session_order, state.session, state.session_phase) == (said[0], said[2], said[1])
