"""Where the ingest ends itself on purpose, for tests of crashes; nothing unless ``VIGIA_FAILPOINT`` is set.

``VIGIA_FAILPOINT=after_commit:3`` kills the process with SIGKILL the third time that the pipeline's stage
``commit`` has ended: no handler runs, nothing is flushed, as with kill -9 at that very moment. One line on
standard error says that it happened and where.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from collector.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

VARIABLE = "VIGIA_FAILPOINT"
_PREFIX = "after_"


def armed() -> Callable[[str], None] | None:
    """Return what is to be told the name of every stage that ended; None when no failpoint is set.

    Raises ``ConfigError`` for a variable that is not ``after_<stage>:<n>``.
    """
    said = os.environ.get(VARIABLE)
    if not said:
        return None
    where, _, times = said.partition(":")
    if not where.startswith(_PREFIX) or not times.isdigit() or int(times) < 1:
        raise ConfigError(f"{VARIABLE}: '{said}' is not after_<stage>:<n>")
    return Failpoint(where.removeprefix(_PREFIX), int(times))


class Failpoint:
    """Kills this process when ``stage`` has ended ``times`` times."""

    def __init__(self, stage: str, times: int) -> None:
        self._stage = stage
        self._left = times

    def __call__(self, stage: str) -> None:
        """Take note that a stage has ended."""
        if stage != self._stage:
            return
        self._left -= 1
        if self._left == 0:
            os.write(2, f"failpoint {_PREFIX}{stage}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)
