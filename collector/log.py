"""Log lines with a reason code, counted; the same trouble is not repeated every second."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from collector.config import LogConfig
    from collector.metrics import Metrics

REPEAT_S = 10.0


class _Text(logging.Formatter):
    """``2026-03-02T12:00:00Z WARNING ingest bad_signature: text key=value``."""

    def __init__(self) -> None:
        super().__init__("%(asctime)sZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime


class _Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"time_ms": int(record.created * 1000), "level": record.levelname, "part": record.name}
        return json.dumps(line | {"message": record.getMessage()}, ensure_ascii=False)


def configure(config: LogConfig) -> None:
    """Send log lines to standard error in the configured form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if config.format == "json" else _Text())
    # libraries speak up when something is wrong; what is ordinary with them is not with us
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("vigia").setLevel(config.level.upper())


class Reporter:
    """Says what goes wrong in one part: a reason code for the counter, a sentence for a person.

    Every problem is counted; a line with the same reason is written at most once in ``REPEAT_S``
    seconds and then says how many were left out.
    """

    def __init__(self, part: str, metrics: Metrics, mono: Callable[[], float] = time.monotonic) -> None:
        self._log = logging.getLogger(f"vigia.{part}")
        self._part = part
        self._metrics = metrics
        self._mono = mono
        self._quiet: dict[str, tuple[float, int]] = {}

    def info(self, message: str) -> None:
        """Write an ordinary line."""
        self._log.info("%s", message)

    def problem(self, reason: str, message: str, *, level: int = logging.WARNING) -> None:
        """Count a problem and write its line, unless the same reason was written just now."""
        self._metrics.log_events.labels(part=self._part, reason=reason).inc()
        now = self._mono()
        until, skipped = self._quiet.get(reason, (float("-inf"), 0))
        if now < until:
            self._quiet[reason] = (until, skipped + 1)
            return
        self._quiet[reason] = (now + REPEAT_S, 0)
        more = f" ({skipped} more like this)" if skipped else ""
        self._log.log(level, "%s: %s%s", reason, message, more)
