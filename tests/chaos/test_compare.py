"""The judge of chaos must be able to find fault."""

from __future__ import annotations

import pytest

from simulators.chaos.compare import POWER_WINDOW_NS, Centre, check_boots, compare
from simulators.chaos.journal import Account, Boot, Sealed

INC = "0011223344556677"
DEVICE = "chaos-ups"


def account(frames: int = 3) -> Account:
    """Frames of two samples each, all told to the device as stored."""
    found = Account(DEVICE)
    for seq in range(frames):
        counters = (10 * seq + 1, 10 * seq + 2)
        found.sealed[INC, seq] = Sealed("data", f"digest{seq}", counters, 1_000 + seq, kept=True)
        found.outcomes[INC, seq] = {"stored"}
    return found


def centre(frames: int = 3, *, stored=None, refused=None, points=None) -> Centre:
    """What a faultless centre has of them, with something else in its place."""
    whole = [
        (10 * seq + part, ("raw/site/dev/l1", 100 * seq + part)) for seq in range(frames) for part in (1, 2)
    ]
    return Centre(
        frozenset((INC, seq) for seq in range(frames)) if stored is None else frozenset(stored),
        refused or {},
        tuple(whole if points is None else points),
    )


def whole():
    return list(centre().points)


def test_all_is_well():
    verdict = compare([account()], centre(), {})
    assert verdict.faults() == []
    assert (verdict.sealed, verdict.stored, verdict.lost) == (3, 3, [])


def test_a_missing_point_is_lost():
    verdict = compare([account()], centre(points=whole()[:-1]), {})
    assert verdict.lost == [f"sample 22 of {(INC, 2)} is not in the store"]


@pytest.mark.parametrize("place", [("raw/site/dev/l1", 999), ("raw/site/dev/l2", 1), ("long/site/dev/l1", 1)])
def test_a_point_at_two_times_or_in_two_series_is_doubled(place):
    verdict = compare([account()], centre(points=[*whole(), (1, place)]), {})
    assert len(verdict.doubled) == 1
    assert verdict.doubled[0].startswith("sample 1 stands at")
    assert verdict.lost == []


def test_the_same_point_twice_is_one_point():
    assert compare([account()], centre(points=[*whole(), whole()[0]]), {}).faults() == []


def test_a_point_that_nobody_sealed_is_foreign():
    verdict = compare([account()], centre(points=[*whole(), (77, ("raw/site/dev/l1", 5))]), {})
    assert len(verdict.foreign) == 1


def test_a_frame_that_nobody_sealed_is_foreign():
    stored = [(INC, 0), (INC, 1), (INC, 2), (INC, 3)]
    assert len(compare([account()], centre(stored=stored), {}).foreign) == 1


def test_a_frame_without_an_end_is_lost():
    journal = account()
    journal.outcomes[INC, 2] = set()
    verdict = compare([journal], centre(stored=[(INC, 0), (INC, 1)], points=whole()[:4]), {})
    assert verdict.lost == [f"{DEVICE}: data {(INC, 2)} has no end"]


def test_a_device_that_was_told_stored_wrongly_is_found():
    verdict = compare([account()], centre(stored=[(INC, 0), (INC, 1)], points=whole()[:4]), {})
    assert any("was told stored" in text for text in verdict.wrong)
    assert len(verdict.lost) == 1


def test_a_refused_frame_may_leave_some_points_only_when_the_store_refused_it():
    journal = account()
    journal.outcomes[INC, 2] = {"refused"}
    kept = [(INC, 0), (INC, 1)]
    refused = {(INC, 2): "type_conflict"}
    partial = centre(stored=kept, refused=refused, points=whole()[:5])
    verdict = compare([journal], partial, {})
    assert verdict.faults() == []
    assert verdict.refused == 1
    never = centre(stored=kept, refused={(INC, 2): "future"}, points=whole()[:5])
    assert len(compare([journal], never, {}).foreign) == 1


def test_dropped_is_an_end_and_stored_comes_first():
    journal = account()
    journal.outcomes[INC, 1] = {"dropped"}
    journal.outcomes[INC, 2] = {"dropped"}
    verdict = compare([journal], centre(stored=[(INC, 0), (INC, 1)], points=whole()[:4]), {})
    assert verdict.faults() == []
    assert (verdict.sealed, verdict.stored, verdict.dropped) == (3, 2, 1)


def test_killed_before_the_spool_had_it_is_not_sealed():
    journal = account()
    journal.sealed[INC, 2].kept = False
    journal.outcomes[INC, 2] = set()
    verdict = compare([journal], centre(stored=[(INC, 0), (INC, 1)], points=whole()[:4]), {})
    assert verdict.faults() == []
    assert verdict.sealed == 2


@pytest.mark.parametrize(
    ("cut_after_ns", "on_flash", "lost"),
    [
        (1, False, 0),
        (POWER_WINDOW_NS, False, 0),
        (POWER_WINDOW_NS + 1, False, 1),  # so old a frame had to be on flash
        (-1, False, 1),  # sealed after the cut
        (1, True, 1),  # flash keeps what it has
    ],
)
def test_a_power_cut_takes_what_was_not_flushed_and_no_more(cut_after_ns, on_flash, lost):
    journal = account()
    journal.outcomes[INC, 2] = set()
    if on_flash:
        journal.on_flash.add((INC, 2))
    cuts = {DEVICE: [journal.sealed[INC, 2].at_ns + cut_after_ns]}
    verdict = compare([journal], centre(stored=[(INC, 0), (INC, 1)], points=whole()[:4]), cuts)
    assert (verdict.power_lost, len(verdict.lost)) == (1 - lost, lost)


STATED = {"ram_wiped": 1, "torn_bytes": 40}


def boots(*said):
    """A device's boots (kernel boot, count, account), and the centre told of each what it states itself."""
    found = Account(DEVICE)
    for number, (kernel, boot, dropped) in enumerate(said):
        found.boots.append(Boot(str(number), kernel, boot, 0, dropped, torn=40 if number == 1 else 0))
    return found, {boot.incarnation: boot.dropped for boot in found.boots}


def test_a_boot_after_a_power_cut_states_it():
    journal, told = boots(("a", 1, {}), ("b", 2, STATED), ("b", 3, STATED))
    assert check_boots(journal, 1, told) == []


@pytest.mark.parametrize(
    ("second", "wrong"),
    [
        (("a", 2, STATED), 1),  # as if the kernel had not restarted
        (("b", 1, STATED), 1),  # the count of starts was lost
        (("b", 2, {"ram_wiped": 1}), 2),  # nothing said of what was torn, here and to the centre
        (("b", 2, {"torn_bytes": 40}), 2),  # nothing said of RAM
        (("b", 2, STATED | {"torn_bytes": 39}), 2),
    ],
)
def test_a_boot_that_does_not_is_found(second, wrong):
    journal, told = boots(("a", 1, {}), second)
    assert len(check_boots(journal, 1, told)) == wrong


def test_a_boot_that_does_not_reach_the_centre_is_found():
    journal, told = boots(("a", 1, {}), ("b", 2, STATED))
    told["1"] = {}
    assert len(check_boots(journal, 1, told)) == 2


def test_of_a_boot_whose_every_frame_the_next_cut_took_the_next_tells():
    journal, told = boots(("a", 1, {}), ("b", 2, STATED), ("c", 3, {"ram_wiped": 1}))
    del told["1"]
    assert check_boots(journal, 2, told) == []
    del told["2"]
    assert len(check_boots(journal, 2, told)) == 1
