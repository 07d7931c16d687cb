"""Start a command and reap the orphans of its shells, so that their processor time is counted here.

MicroPython starts commands by the shell, which puts them into the background: they are nobody's children in
the end. The first line printed is the pid of the command. It ends with SIGTERM, which the command gets too.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys

PR_SET_CHILD_SUBREAPER = 36  # prctl(2)


def main() -> None:
    """Run the command that the arguments name."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(process.pid, signal.SIGTERM))
    sys.stdout.write(f"{process.pid}\n")
    sys.stdout.close()
    with contextlib.suppress(ChildProcessError):
        while os.wait()[0] != process.pid:
            pass


if __name__ == "__main__":
    main()
