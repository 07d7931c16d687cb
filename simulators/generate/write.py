"""Draw scenarios and write them: a third quiet, the rest ordinary or awkward.

Of each sort every second one has circuits that the centre knows.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final

from simulators.generate import awkward, habits, town
from simulators.generate.draft import Draft
from simulators.scenario import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SORTS: Final = ("ordinary", "awkward", "quiet")
_HOUR_S: Final = 3600


def files(folder: Path, seed: int, count: int) -> Iterator[Path]:
    """Write so many scenarios into a folder; give their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        path = folder / f"{seed}-{number:05d}.toml"
        text = drawn(seed, number).text()
        load.parse(text, str(path))  # what we draw is held to what everybody is held to
        path.write_text(text, encoding="utf-8")
        yield path


def drawn(seed: int, number: int) -> Draft:
    """Draw one scenario."""
    sort = SORTS[number // 2 % len(SORTS)]
    rng = Random(f"{seed}/{number}")  # noqa: S311 - chance that anybody can repeat
    duration_s = {"ordinary": 8, "awkward": 6, "quiet": 24}[sort] * _HOUR_S
    head: dict[str, Any] = {
        "name": f"{sort} {seed}-{number}",
        "seed": rng.randrange(1 << 32),
        "start": _start(rng),
        "warmup_s": 900,
        "duration_s": duration_s,
        "settle_s": _HOUR_S,
    }
    known = {"circuit": number % 2 == 0, "provider": rng.random() < 0.8, "feed": rng.random() < 0.8}  # noqa: PLR2004
    draft = Draft(rng, head, known)
    town.settle(draft, {"ordinary": 12, "awkward": 10, "quiet": 30}[sort])
    draft.told = [f"Drawn: vigia-sim generate --seed {seed}, number {number}; {sort}."]
    _HAPPENS[sort](draft)
    return draft


def _start(rng: Random) -> str:
    month, day, hour = rng.randint(1, 12), rng.randint(1, 28), rng.randint(0, 23)
    return f"2026-{month:02d}-{day:02d}T{hour:02d}:00:00-06:00"


def _ordinary(draft: Draft) -> None:
    end_s = draft.head["duration_s"] - _HOUR_S
    for _ in range(draft.rng.randint(3, 6)):
        habits.incident(draft, draft.rng.uniform(habits.LEAD_S, end_s))
    habits.nuisances(draft, 0.5)


def _awkward(draft: Draft) -> None:
    happens = draft.rng.choice(awkward.AWKWARD)
    draft.told.append(str(happens.__doc__).removeprefix("Let ").strip().capitalize())
    happens(draft, draft.rng.uniform(1800, 5400))
    habits.nuisances(draft, 0.5)


def _quiet(draft: Draft) -> None:
    habits.nuisances(draft, 1.0)


_HAPPENS: Final = {"ordinary": _ordinary, "awkward": _awkward, "quiet": _quiet}
