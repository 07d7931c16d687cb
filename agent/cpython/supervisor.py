"""What systemd is told over its notification socket (sd_notify(3)): ready, well, and how long to wait."""

from __future__ import annotations

import os
import socket


class Supervisor:
    """Speaks to who started this process; keeps quiet when nobody listens."""

    def __init__(self) -> None:
        """Look where systemd listens, and whether it watches."""
        self._path = os.environ.get("NOTIFY_SOCKET", "")
        self._watches = self._path and os.environ.get("WATCHDOG_USEC", "").isdigit()

    def ready(self, interval_ms: int) -> None:
        """Say that the agent runs, and that it means to say it is well every ``interval_ms``."""
        self._tell("READY=1")
        if self._watches:
            wanted_us = max(int(os.environ["WATCHDOG_USEC"]), 4000 * interval_ms)
            self._tell(f"WATCHDOG_USEC={wanted_us}")

    def well(self) -> None:
        """Say that the agent does its work."""
        if self._watches:
            self._tell("WATCHDOG=1")

    def _tell(self, state: str) -> None:
        if not self._path:
            return
        address = "\0" + self._path[1:] if self._path[0] == "@" else self._path
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as speaker:
                speaker.sendto(state.encode(), address)
        except OSError:
            return  # it stops us if it has to; a full socket is no reason to fail
