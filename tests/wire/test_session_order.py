"""The centre's session table, exhaustively: whatever is said in whatever order, the maximum is what is
known.
"""

from __future__ import annotations

from itertools import permutations
from types import SimpleNamespace
from typing import Any

import pytest

from collector.ingest import sessions

ORDERS = (1, 2)  # an older and a newer incarnation
SESSIONS = (1, 2)
Said = tuple[str, int, int]  # kind, order of the incarnation, session
ALL: list[Said] = [
    *[(kind, order, session) for kind in ("birth", "death") for order in ORDERS for session in SESSIONS],
    *[("stop", order, 0) for order in ORDERS],
]


def rank(said: Said) -> tuple[int, bool, int, int]:
    """The table of the contract, written anew."""
    kind, order, session = said
    return (order, True, 0, 2) if kind == "stop" else (order, False, session, 1 if kind == "birth" else 2)


def frame(said: Said) -> Any:
    kind, order, session = said
    stop = kind == "stop"
    return SimpleNamespace(
        kind="event" if stop else kind, session=None if stop else session, stop=stop, device="r1",
        arrival_ms=1, kernel_boot="00", hello={"order": order, "session": session},
        incarnation=f"{order:016x}", kid="00" * 8,
    )  # fmt: skip


def hear(said: tuple[Said, ...]) -> tuple[Any, list[str]]:
    """(state at the end, what the rules were told)."""
    state: Any = SimpleNamespace(session_order=-1, session=0, session_phase="none", hello={})
    told = []
    for one in said:
        news = sessions.advance(frame(one), one[1], state)
        if news is not None:
            told.append(type(news).__name__)
    return state, told


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_every_order_of_every_choice(size: int) -> None:
    for said in permutations(ALL, size):
        state, told = hear(said)
        highest = max(said, key=rank)
        expected = {"stop": "stop"}.get(highest[0], highest[0])
        assert (state.session_order, state.session_phase) == (highest[1], expected), said
        if highest[0] != "stop":
            assert state.session == highest[2], said
        assert told, said
        assert told[-1] == ("Born" if highest[0] == "birth" else "Died"), said


def test_saying_anything_twice_changes_nothing() -> None:
    for said in permutations(ALL, 3):
        state, told = hear(said)
        again, told_again = hear((*said, *said))
        assert (vars(state), told) == (vars(again), told_again)
