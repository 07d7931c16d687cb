"""``python -m simulators.chaos.warm CONFIG``: the ingest with its imports done.

Every line on standard input, a failpoint or nothing, starts one more ingest process; its pid and, when it has
ended, its exit code are printed. Imports take two seconds of a busy processor, a run starts five of them.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from collector import config, metrics
from collector.failpoints import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> None:
    """Fork an ingest for every line."""
    path = sys.argv[1]
    metrics.prepare(config.load(Path(path)).metrics.dir)  # has to be known before the imports
    command = _imported()
    gc.freeze()
    while line := sys.stdin.readline():
        pid = os.fork()
        if pid == 0:
            _become_ingest(line.strip())
            sys.argv = ["vigia-collector", "ingest", "--config", path]
            command()
        print(pid, flush=True)  # noqa: T201 - read by servers.Ingest
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 - same


def _become_ingest(failpoint: str) -> None:
    """Let go of the pipes, which belong to the parent; words go to the log."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    if failpoint:
        os.environ[VARIABLE] = failpoint


def _imported() -> Callable[[], None]:
    """Import what the ingest imports as it goes."""
    import collector.ingest.service  # noqa: PLC0415 - after metrics.prepare
    import collector.judge  # noqa: PLC0415 - same
    import collector.storage.influx  # noqa: F401, PLC0415 - same
    from collector import __main__, build  # noqa: F401, PLC0415 - same

    return __main__.main


if __name__ == "__main__":
    main()
