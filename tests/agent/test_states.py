"""The state tables of the agent, every state with every event: what the table has, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from agent import frame_life
from agent.errors import StateError
from agent.segment import Record
from agent.shelf import Entry
from agent.transport import link

if TYPE_CHECKING:
    from collections.abc import Callable

Table = dict[str, dict[str, str]]
TABLES: dict[str, Table] = {"link": link.TABLE, "frame": frame_life.TABLE}


def events(table: Table) -> list[str]:
    """In an order of their own, not of the hash seed: processes that share the tests must agree on it."""
    return sorted({event for row in table.values() for event in row} | {"", "unheard of"})


def new_link() -> link.Link:
    return link.Link(lambda: 0)


def new_entry() -> Entry:
    return Entry(Record("data", 1, b"incarnat", 0, "vigia/v1/a/mx-001/data", b""), 40)


MAKERS: dict[str, Callable[[], Any]] = {"link": new_link, "frame": new_entry}
CASES = [(name, state, event) for name, table in TABLES.items() for state in table for event in events(table)]


@pytest.mark.parametrize(("name", "state", "event"), CASES)
def test_every_event_in_every_state(name: str, state: str, event: str) -> None:
    thing = MAKERS[name]()
    thing.state = state
    onward = TABLES[name][state].get(event)
    if onward is not None:
        thing.fire(event)
        assert thing.state == onward
        return
    before = dict(vars(thing))
    with pytest.raises(StateError) as found:
        thing.fire(event)
    assert found.value.reason == "illegal_event"
    assert vars(thing) == before


@pytest.mark.parametrize("name", TABLES)
def test_every_state_is_in_the_table_and_can_be_reached(name: str) -> None:
    table = TABLES[name]
    reached, todo = set(), [next(iter(table))]
    while todo:
        state = todo.pop()
        if state not in reached:
            reached.add(state)
            todo += table[state].values()
    assert reached == set(table)


def test_a_frame_ends_once_and_by_the_collectors_word_or_by_being_dropped() -> None:
    assert set(frame_life.ENDS) == {"stored", "refused", "dropped"}
    for state, row in frame_life.TABLE.items():
        ends = {event: onward for event, onward in row.items() if onward in frame_life.ENDS}
        assert all(event == onward for event, onward in ends.items())
        assert set(ends) == (
            set()
            if state in frame_life.ENDS
            else {"dropped"}
            if state == "sealed"
            else {"stored", "refused", "dropped"}
        )


def test_a_puback_settles_nothing() -> None:
    entry = new_entry()
    for event in ("spooled", "sent", "puback"):
        entry.fire(event)
    assert (entry.safe(), entry.gone) == (True, False)
    entry.fire("lost")  # a broker that was killed forgets
    assert (entry.state, entry.safe()) == ("spooled", False)


def test_every_way_through_a_frames_life_is_finite_but_for_sending_again() -> None:
    """Without ``sent``, ``puback`` and ``lost`` going round, no event comes twice."""
    onward = {state: {e: n for e, n in row.items() if e != "lost"} for state, row in frame_life.TABLE.items()}
    order = list(frame_life.TABLE)
    for state, row in onward.items():
        for event, after in row.items():
            assert order.index(after) >= order.index(state) or event == "sent"
