"""How long to wait before the next attempt to connect. No I/O."""

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_MS = 2000
MAX_MS = 60_000
MAX_DOUBLINGS = 5


class Backoff:
    """At once at the start; at random over ``spread_ms`` after a lost link; doubling while it fails.

    The spread keeps the devices of a city from returning in the same second after a broker's restart.
    """

    def __init__(self, spread_ms: int, chance: "Callable[[], float]") -> None:
        """``chance`` returns numbers evenly spread over 0 to 1."""
        self._spread_ms = spread_ms
        self._chance = chance
        self._failures = 0
        self._wait_ms = 0

    def wait_ms(self) -> int:
        """Return how long to wait now."""
        return self._wait_ms

    def lost(self) -> None:
        """Note that a link that was up is gone."""
        self._failures = 0
        self._wait_ms = int(self._chance() * self._spread_ms)

    def failed(self) -> None:
        """Note that an attempt to connect failed."""
        top_ms = min(MAX_MS, self._spread_ms * 2, FIRST_MS << min(self._failures, MAX_DOUBLINGS))
        self._failures += 1
        self._wait_ms = int(top_ms * (1 + self._chance()) / 2)
