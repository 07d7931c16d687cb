"""The conditions of a site: one small machine for all of them, with hysteresis in both directions.

A subject says what its evidence shows (yes, no, unknown) and since when; the board moves the machine and
writes down what changed. What is clear is forgotten, so that the memory stays small.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from collector.model import Cause, Change, Fact, Severity, Transition
from collector.rules.catalogue import CONDITIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.rules.catalogue import Thresholds
    from collector.rules.site import SiteFacts

Memory = dict[str, Any]


class Phase(StrEnum):
    """Where a condition stands. RISING is not yet raised, FALLING not yet cleared."""

    CLEAR = "clear"
    RISING = "rising"
    RAISED = "raised"
    FALLING = "falling"


class Shows(StrEnum):
    """What the evidence shows; HELD is the board's own: it has shown so for long enough."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    HELD = "held"


# Not knowing breaks a rise, for a condition must be shown throughout; it never ends what was raised.
TABLE: Final[dict[Phase, dict[Shows, Phase]]] = {
    Phase.CLEAR: {Shows.YES: Phase.RISING, Shows.NO: Phase.CLEAR, Shows.UNKNOWN: Phase.CLEAR},
    Phase.RISING: {
        Shows.YES: Phase.RISING,
        Shows.NO: Phase.CLEAR,
        Shows.UNKNOWN: Phase.CLEAR,
        Shows.HELD: Phase.RAISED,
    },
    Phase.RAISED: {Shows.YES: Phase.RAISED, Shows.NO: Phase.FALLING, Shows.UNKNOWN: Phase.RAISED},
    Phase.FALLING: {
        Shows.YES: Phase.RAISED,
        Shows.NO: Phase.FALLING,
        Shows.UNKNOWN: Phase.FALLING,
        Shows.HELD: Phase.CLEAR,
    },
}
OPEN: Final = (Phase.RAISED, Phase.FALLING)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one subject says of one condition at one moment.

    ``raise_ms`` and ``clear_ms`` are how long it must be shown; ``started_ms`` is when it happened, when
    that is earlier than when it showed. ``final``: an end that this shows is the device's own account of it.
    ``on_return``: it was found in what a device had kept of a silence.
    """

    condition: str
    subject: str
    shows: Shows
    at_ms: int
    facts: tuple[Fact, ...] = ()
    cause: Cause | None = None
    confidence: float | None = None
    reason: str = ""
    raise_ms: float = 0
    clear_ms: float = 0
    started_ms: int | None = None
    final: bool = False
    on_return: bool = False


@dataclass(slots=True)
class Board:
    """The conditions of one site during one step. ``memory`` is changed in place."""

    site: SiteFacts
    memory: Memory
    now_ms: int
    thresholds: Thresholds
    transitions: list[Transition] = field(default_factory=list)

    def apply(self, finding: Finding) -> Phase:
        """Move a condition by what is shown, write down what changed, return where it stands now."""
        entry = self._entry(finding.condition, finding.subject)
        before = Phase(entry["phase"])
        entry["since_ms"] = min(entry["since_ms"], finding.at_ms)  # a device's clock may be set back
        phase = TABLE[before][finding.shows]
        if phase != before:
            entry["since_ms"] = finding.at_ms
        hold = finding.raise_ms if phase == Phase.RISING else finding.clear_ms
        moving = phase in {Phase.RISING, Phase.FALLING}
        if moving and finding.shows != Shows.UNKNOWN and finding.at_ms - entry["since_ms"] >= hold:
            phase = TABLE[phase][Shows.HELD]
        entry["phase"] = phase.value
        self._settle(finding, entry, was_open=before in OPEN, is_open=phase in OPEN)
        return phase

    def _settle(self, finding: Finding, entry: Memory, *, was_open: bool, is_open: bool) -> None:
        """Announce an opening or an end, and forget what is clear."""
        if is_open and not was_open:
            at_ms = entry["since_ms"] if finding.started_ms is None else finding.started_ms
            entry["began_ms"] = at_ms
            self._remember(entry, finding)
            self._announce(Change.RAISED, finding, at_ms, finding.facts)
        elif was_open and not is_open:
            facts = _facts(entry) if entry.get("cause") else finding.facts or _facts(entry)
            self._announce(Change.CLEARED, finding, entry["since_ms"], facts, final=finding.final)
        if entry["phase"] == Phase.CLEAR:
            self.memory["conditions"].pop(_key(finding.condition, finding.subject), None)

    def revise(self, finding: Finding, *, final: bool = False, again: bool = False) -> bool:
        """Announce another cause or other facts of an open condition; False when nothing is new.

        ``again``: the same kinds of facts are news, because their numbers are.
        """
        if not self.is_open(finding.condition, finding.subject):
            return False
        entry = self._entry(finding.condition, finding.subject)
        codes = [fact.code for fact in finding.facts]
        same = entry.get("codes") == codes and entry.get("cause") == finding.cause
        if same and not again and (not final or entry.get("final")):
            return False
        self._remember(entry, finding, final=final)
        self._announce(Change.REVISED, finding, finding.at_ms, finding.facts, final=final)
        return True

    def show(self, finding: Finding) -> None:
        """Apply what may change something: what shows, and what is on its way or open."""
        known = _key(finding.condition, finding.subject) in self.memory["conditions"]
        if known or finding.shows == Shows.YES:
            self.apply(finding)

    def phase(self, condition: str, subject: str) -> Phase:
        """Say where a condition stands."""
        entry = self.memory["conditions"].get(_key(condition, subject))
        return Phase(entry["phase"]) if entry else Phase.CLEAR

    def is_open(self, condition: str, subject: str) -> bool:
        """Say whether a condition was raised and not cleared yet."""
        return self.phase(condition, subject) in OPEN

    def known(self) -> Iterator[tuple[str, str, Phase]]:
        """Give condition, subject and phase of everything that is not clear."""
        for key, entry in list(self.memory["conditions"].items()):
            condition, _, subject = key.partition("|")
            yield condition, subject, Phase(entry["phase"])

    def since_ms(self, condition: str, subject: str) -> int:
        """Return since when a condition stands where it stands."""
        return int(self._entry(condition, subject)["since_ms"])

    def verdict(self, condition: str, subject: str) -> dict[str, Any]:
        """Return facts, cause and confidence that an open condition was last announced with."""
        entry = self._entry(condition, subject)
        cause = entry.get("cause")
        return {
            "facts": _facts(entry),
            "cause": Cause(cause) if cause else None,
            "confidence": entry.get("confidence"),
        }

    def facts(self, condition: str, subject: str) -> tuple[Fact, ...]:
        """Return the facts that an open condition was last announced with."""
        return _facts(self._entry(condition, subject))

    def began_ms(self, condition: str, subject: str) -> int:
        """Return since when a condition that is open has been, as it was announced."""
        entry = self._entry(condition, subject)
        return int(entry["began_ms"] if "began_ms" in entry else entry["since_ms"])

    def _entry(self, condition: str, subject: str) -> Memory:
        blank = {"phase": Phase.CLEAR.value, "since_ms": 0}
        entry: Memory = self.memory["conditions"].setdefault(_key(condition, subject), blank)
        return entry

    def _remember(self, entry: Memory, finding: Finding, *, final: bool = False) -> None:
        entry["codes"] = [fact.code for fact in finding.facts]
        entry["facts"] = [[fact.code, fact.params] for fact in finding.facts]
        entry["cause"] = finding.cause.value if finding.cause else None
        entry["confidence"] = finding.confidence
        entry["final"] = final

    def _announce(
        self, change: Change, finding: Finding, at_ms: int, facts: tuple[Fact, ...], *, final: bool = False
    ) -> None:
        entry = self._entry(finding.condition, finding.subject)
        cause = entry.get("cause")
        self.transitions.append(
            Transition(
                change=change,
                site=self.site.id,
                condition=finding.condition,
                subject=finding.subject,
                at_ms=at_ms,
                severity=severity(finding.condition),
                cause=Cause(cause) if cause else None,
                confidence=entry.get("confidence"),
                facts=facts,
                reason=finding.reason,
                final=final or bool(entry.get("final")),
                found_on_return=finding.on_return,
            )
        )


def severity(condition: str) -> Severity:
    """Return how grave a condition of the catalogue is."""
    return CONDITIONS[condition].severity


def _key(condition: str, subject: str) -> str:
    return f"{condition}|{subject}"


def _facts(entry: Memory) -> tuple[Fact, ...]:
    return tuple(Fact(code, dict(params)) for code, params in entry.get("facts", ()))
