"""Probes that write less leave what the real ones leave: the centre's failures, when they began and ended."""

from __future__ import annotations

from random import Random

import pytest
from sqlalchemy import Engine, create_engine, select
from sqlalchemy.orm import Session

from collector.around.surroundings import PROBED_MS
from collector.probes import record
from collector.probes.record import NAMES
from collector.storage.state import Base, CentreSpan, Probe
from simulators.virtual.probing import Probing

INTERVAL_MS = 5_000
START_MS = 1_772_000_000_000
Rows = list[tuple[object, ...]]


def looked_at(engine: Engine, probing: Probing | None, now_ms: int) -> Rows:
    """Return the failures as the rules find them; nobody may take the probes for idle."""
    with Session(engine) as session, session.begin():
        if probing is not None:
            probing.fresh(session, now_ms)
        checked = [row.checked_ms for row in session.scalars(select(Probe))]
        assert checked
        assert now_ms - min(checked) < PROBED_MS
        rows = session.scalars(select(CentreSpan).order_by(CentreSpan.what, CentreSpan.since_ms))
        return [(row.what, row.since_ms, row.until_ms) for row in rows]


def empty() -> Engine:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    return engine


@pytest.mark.parametrize("seed", range(5))
def test_what_is_written_later_is_what_would_have_been_written(seed: int) -> None:
    rng = Random(seed)  # noqa: S311 - chance that can be repeated
    real, spared = empty(), empty()
    probing = Probing(spared, INTERVAL_MS, sparing=True)
    seen, now_ms, asked_ms = dict.fromkeys(NAMES, True), START_MS, 0
    for step in range(400):
        now_ms += rng.choice((1_000, 1_000, 5_000))
        if rng.random() < 0.04:
            name = rng.choice(NAMES)
            seen = seen | {name: not seen[name]}
        probing.look(dict(seen), now_ms)
        if now_ms - asked_ms >= INTERVAL_MS:
            asked_ms = now_ms
            with Session(real) as session, session.begin():
                for name, good in seen.items():
                    record.saw(session, name, record.Seen(good=good), now_ms)
        found = looked_at(real, None, now_ms)
        if step % rng.randint(1, 5) == 0:
            assert looked_at(spared, probing, now_ms) == found

    assert found, "nothing failed: the test shows nothing"
    assert looked_at(spared, probing, now_ms) == found
