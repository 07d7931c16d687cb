"""One line per happening on standard error, with a reason; the same trouble is not repeated every second."""

import sys

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable

REPEAT_MS = 60_000


class Log:
    """Lines for the system's log, which adds the time. ``counts`` has every reason ever given."""

    def __init__(
        self, uptime_ms: "Callable[[], int]", write: "Callable[[str], object] | None" = None
    ) -> None:
        """Write lines with ``write`` (standard error when None); repeats are judged by ``uptime_ms``."""
        self._uptime_ms = uptime_ms
        self._write = write
        self._quiet: dict[str, tuple[int, int]] = {}  # reason -> (said at, left out since)
        self.counts: dict[str, int] = {}

    def info(self, reason: str, text: str) -> None:
        """Say an ordinary thing."""
        self._say("info", reason, text)

    def trouble(self, reason: str, text: str) -> None:
        """Say a trouble; within REPEAT_MS the same reason is only counted."""
        now_ms = self._uptime_ms()
        said_ms, left_out = self._quiet.get(reason, (now_ms - REPEAT_MS, 0))
        if now_ms - said_ms < REPEAT_MS:
            self._quiet[reason] = (said_ms, left_out + 1)
            self.counts[reason] = self.counts.get(reason, 0) + 1
            return
        self._quiet[reason] = (now_ms, 0)
        more = " (and " + str(left_out) + " more like this)" if left_out else ""
        self._say("warning", reason, text + more)

    def _say(self, level: str, reason: str, text: str) -> None:
        self.counts[reason] = self.counts.get(reason, 0) + 1
        line = "vigia-agent " + level + " " + reason + ": " + " ".join(text.split()) + "\n"
        (self._write or sys.stderr.write)(line)
