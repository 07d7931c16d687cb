"""What a reader is. Types only: nothing here runs, and readers import it for checking alone.

A reader reads one subject. ``read()`` is called every ``watch_ms`` (when not 0) and every ``interval_ms``;
it returns rows, or raises ReaderError when nothing at all can be known. When a field named in ``watched``
differs from the read before, the sampler makes an event at once. Whoever calls times it, bounds it and
counts its failures.

Optional: ``watched``; ``async close()`` of a reader that holds a connection; ``async wait_turn(limit_ms)``
of a reader that is told by the system when something turns: it returns then, or after ``limit_ms``, and
never raises; ``async look()`` of a reader that can tell cheaply whether anything of ``watched`` may differ
from the read before: at a watch it is read only when that is so, or when the read before failed.
"""

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Protocol

    from agent.timing import Clock

    Fields = dict[str, int | float | str]
    Row = tuple[str, str | None, Mapping[str, int | float | str]]

    class Reader(Protocol):
        """One subject of reading."""

        name: str
        interval_ms: int
        watch_ms: int

        async def read(self) -> list[Row]:
            """Return rows (measurement, instance or None, fields); ReaderError when nothing can be known."""

    # what the configuration says of this reader, the clock, sample and watch interval in ms
    Maker = Callable[[dict[str, Any], Clock, int, int], Reader]
