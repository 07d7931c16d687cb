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
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SORTS: Final = ("ordinary", "awkward", "quiet")
HOUR_S: Final = 3600


def files(folder: Path, seed: int, drafts: Iterable[Draft]) -> Iterator[Path]:
    """Write drafts into a folder; give their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, draft in enumerate(drafts):
        path = folder / f"{seed}-{number:05d}.toml"
        text = draft.text()
        load.parse(text, str(path))  # what we draw is held to what everybody is held to
        path.write_text(text, encoding="utf-8")
        yield path


def drawn(seed: int, number: int) -> Draft:
    """Draw one scenario of the ordinary mix."""
    sort = SORTS[number // 2 % len(SORTS)]
    hours, sites = {"ordinary": (8, 12), "awkward": (6, 10), "quiet": (24, 30)}[sort]
    draft = begun(str(seed), seed, number, sort, hours=hours, sites=sites)
    _HAPPENS[sort](draft)
    return draft


def begun(chance: str, seed: int, number: int, sort: str, *, hours: int, sites: int) -> Draft:
    """Build the town of a scenario in which nothing has happened yet; ``chance`` names whose it is."""
    rng = Random(f"{chance}/{number}")  # noqa: S311 - chance that anybody can repeat
    head: dict[str, Any] = {
        "name": f"{sort} {seed}-{number}",
        "seed": rng.randrange(1 << 32),
        "start": _start(rng),
        "warmup_s": 900,
        "duration_s": hours * HOUR_S,
        "settle_s": HOUR_S,
    }
    known = {"circuit": number % 2 == 0, "provider": rng.random() < 0.8, "feed": rng.random() < 0.8}  # noqa: PLR2004
    draft = Draft(rng, head, known)
    town.settle(draft, sites)
    draft.told = [f"Drawn: vigia-sim generate --seed {seed}, number {number}; {sort}."]
    return draft


def _start(rng: Random) -> str:
    month, day, hour = rng.randint(1, 12), rng.randint(1, 28), rng.randint(0, 23)
    return f"2026-{month:02d}-{day:02d}T{hour:02d}:00:00-06:00"


def _ordinary(draft: Draft) -> None:
    end_s = draft.head["duration_s"] - HOUR_S
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
