"""What a person does to an incident, by the table in ``collector.alerts.lifecycle``; one transaction each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collector.alerts import lifecycle
from collector.alerts.lifecycle import Move, Status
from collector.errors import VigiaError
from collector.web.services import services

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from collector.storage.state import Incident

# what a crew found; the words are in words.py
CAUSE_CODES: Final = (
    "utility",
    "breaker",
    "wiring",
    "ups",
    "battery",
    "power_supply",
    "device",
    "modem",
    "provider",
    "cabling",
    "theft",
    "by_itself",
    "other",
)


class NotPossibleError(VigiaError):
    """The incident stands where this cannot be done; nothing was changed."""


def possible(row: Incident) -> frozenset[str]:
    """Return what a person can do now: of ``acknowledge``, ``start``, ``resolve``."""
    moves = lifecycle.TABLE[Status(row.status)]
    ends = Move.RESOLVED if row.cleared_ms is None else Move.CONFIRMED
    named = {"acknowledge": Move.ACKNOWLEDGED, "start": Move.STARTED, "resolve": ends}
    return frozenset(name for name, move in named.items() if move in moves)


def acknowledge(session: Session, row: Incident, by: str, text: str = "") -> None:
    """Make ``by`` the owner; of two people at the same time one gets ``NotPossibleError``."""
    _do(session, row, by, text, lambda now_ms: lifecycle.acknowledge(session, row.id, by, now_ms))


def start(session: Session, row: Incident, by: str, text: str = "") -> None:
    """Say that ``by`` is on the way; ``NotPossibleError``."""
    _do(session, row, by, text, lambda now_ms: lifecycle.start(session, row.id, by, now_ms))


def resolve(session: Session, row: Incident, by: str, cause_code: str, text: str = "") -> None:
    """Say what was found and repaired; data confirm it. ``NotPossibleError``."""
    _do(session, row, by, text, lambda now_ms: lifecycle.resolve(session, row.id, by, now_ms, cause_code))


def note(session: Session, row: Incident, by: str, text: str) -> None:
    """Add a note to the history."""
    _do(session, row, by, text, lambda _now_ms: row)


def _do(session: Session, row: Incident, by: str, text: str, step: Callable[[int], Incident]) -> None:
    """Take the step and write what was said with it, or leave everything as it was."""
    now_ms = services().clock.now_ms()
    try:
        step(now_ms)
    except lifecycle.IllegalMoveError as error:
        session.rollback()
        raise NotPossibleError(str(error)) from error
    if text.strip():
        lifecycle.note(session, row.id, by, text.strip(), now_ms)
    session.commit()
