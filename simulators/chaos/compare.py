"""Journal against store and state: the verdict of a run. Pure.

A point is known by its counter, unique per sample. Every counter of a stored frame is in the store at
exactly one time of one series; no other counter is. Every frame ended in exactly one way.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulators.chaos.journal import Account, Boot, Id

# what a power cut may take: what was sealed since the last flush, which is due every 30 s and looked at
# every 5 s (agent/keeper.py, agent/loop.py)
POWER_WINDOW_NS: Final = 35 * 1_000_000_000
# InfluxDB writes the points of a request that are good and refuses it for the others: of a refused frame
# some points may be there
PARTIAL: Final = frozenset({"type_conflict", "store_refused"})

Place = tuple[str, int]  # series, time in ms


@dataclass(frozen=True, slots=True)
class Centre:
    """What the centre says: names stored, names refused with reason, digests it set aside, points."""

    stored: frozenset[Id]
    refused: Mapping[Id, str]
    points: tuple[tuple[int, Place], ...]  # counter, where


@dataclass(slots=True)
class Verdict:
    """Numbers of frames, and what is wrong: texts that name the frame or point."""

    sealed: int = 0
    stored: int = 0
    refused: int = 0
    dropped: int = 0
    power_lost: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    power_kinds: Counter[str] = field(default_factory=Counter)  # of the frames that power cuts took
    power_oldest_ns: int = 0  # how long before the cut the oldest of them was sealed

    def faults(self) -> list[str]:
        """Everything that is wrong, in words."""
        named = {"lost": self.lost, "doubled": self.doubled, "foreign": self.foreign, "wrong": self.wrong}
        return [f"{name}: {text}" for name, texts in named.items() for text in texts]


def compare(journals: Iterable[Account], centre: Centre, cuts: Mapping[str, list[int]]) -> Verdict:
    """Hold journals against the centre; ``cuts`` are the power cuts (monotonic ns) of each device."""
    verdict = Verdict()
    may, must = _expected(journals, centre, cuts, verdict)
    places: dict[int, set[Place]] = {}
    for counter, place in centre.points:
        places.setdefault(counter, set()).add(place)
    for counter, name in must.items():
        if counter not in places:
            verdict.lost.append(f"sample {counter} of {name} is not in the store")
    for counter, found in places.items():
        if len(found) > 1:
            verdict.doubled.append(f"sample {counter} stands at {sorted(found)}")
        if counter not in must and counter not in may:
            verdict.foreign.append(f"sample {counter} at {sorted(found)} was never to be stored")
    return verdict


def _expected(
    journals: Iterable[Account], centre: Centre, cuts: Mapping[str, list[int]], verdict: Verdict
) -> tuple[set[int], dict[int, Id]]:
    """Sort every frame; return counters that may and that must be in the store."""
    may: set[int] = set()
    must: dict[int, Id] = {}
    known: set[Id] = set()
    for account in journals:
        known |= account.sealed.keys()
        verdict.wrong += [f"{account.device}: {name} was sealed twice" for name in account.twice]
        for name, frame in account.sealed.items():
            end = _end(account, name, centre, cuts.get(account.device, []), verdict)
            if end == "stored":
                must |= dict.fromkeys(frame.counters, name)
            elif end == "refused" and centre.refused[name] in PARTIAL:
                may |= set(frame.counters)
    for name in sorted((centre.stored | centre.refused.keys()) - known):
        verdict.foreign.append(f"frame {name} was never sealed")
    return may, must


def _end(account: Account, name: Id, centre: Centre, cuts: list[int], verdict: Verdict) -> str:
    """Count how a frame ended; what the centre stored is stored, whatever else happened to it."""
    frame, told = account.sealed[name], account.outcomes.get(name, set())
    text = f"{account.device}: {frame.kind} {name}"
    if not frame.kept and name not in centre.stored and not told:
        return "nothing"  # the agent was killed before the spool had it: it was never sealed
    verdict.sealed += 1
    _agree(text, told, name, centre, verdict)
    if name in centre.stored:
        verdict.stored += 1
        return "stored"
    if name in centre.refused:
        verdict.refused += 1
        verdict.reasons[centre.refused[name]] += 1
        return "refused"
    if "dropped" in told:
        verdict.dropped += 1
        return "dropped"
    age_ns = _taken_by_power(account, name, cuts)
    if age_ns is not None:
        verdict.power_lost += 1
        verdict.power_kinds[frame.kind] += 1
        verdict.power_oldest_ns = max(verdict.power_oldest_ns, age_ns)
        return "power"
    verdict.lost.append(f"{text} has no end")
    return "lost"


def _agree(text: str, told: set[str], name: Id, centre: Centre, verdict: Verdict) -> None:
    """Hold what the device was told against what the centre did."""
    if "stored" in told and name not in centre.stored:
        verdict.wrong.append(f"{text}: the device was told stored, the centre has it not")
    if "refused" in told and name not in centre.refused:
        verdict.wrong.append(f"{text}: the device was told refused, the centre did not")
    if name in centre.stored and name in centre.refused:
        verdict.wrong.append(f"{text}: both stored and refused")


def _taken_by_power(account: Account, name: Id, cuts: list[int]) -> int | None:
    """Return how long before a power cut the frame was sealed (ns) if that explains its loss, else None.

    It does when the frame was sealed within the window before the cut and was never on flash.
    """
    if name in account.on_flash:
        return None
    ages = [cut - account.sealed[name].at_ns for cut in cuts]
    return min((age for age in ages if 0 <= age <= POWER_WINDOW_NS), default=None)


def check_boots(account: Account, cuts: int, told: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Say what boots after power cuts did not state; ``told`` is what the centre has of it, by incarnation.

    The first boot of the next kernel says that RAM was lost and how many bytes of flash were torn. When the
    next cut took all of its frames before one was stored, the centre cannot know: its own account says it.
    """
    first: dict[str, Boot] = {}
    for boot in account.boots:
        first.setdefault(boot.kernel_boot, boot)
    wrong = []
    if len(first) != cuts + 1:
        wrong.append(f"{account.device}: {cuts} power cuts, {len(first)} kernel boots")
    numbers = [boot.boot for boot in account.boots]
    if numbers != sorted(set(numbers)):
        wrong.append(f"{account.device}: boot counts {numbers} do not grow")
    boots = list(first.values())[1:]
    for boot in boots:
        where = f"{account.device}: boot {boot.boot} after a power cut"
        heard = boot.incarnation in told or boot is boots[-1]
        statements = [("states", boot.dropped)]
        statements += [("tells the centre", dict(told.get(boot.incarnation, {})))] if heard else []
        for who, said in statements:
            if not said.get("ram_wiped"):
                wrong.append(f"{where} {who} no loss of RAM")
            if said.get("torn_bytes", 0) != boot.torn:
                wrong.append(f"{where} {who} {said.get('torn_bytes', 0)} torn bytes instead of {boot.torn}")
    return wrong
