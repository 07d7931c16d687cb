"""What the demonstration says on the terminal, in Spanish and English."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulators.demo.api import Item
    from simulators.demo.layout import Pace


class Speaker:
    """Writes lines with the time since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start

    def say(self, spanish: str, english: str) -> None:
        """Say one thing in both languages."""
        self._line(f"{spanish}  ·  {english}")

    def raised(self, item: Item) -> None:
        """Say that an alert was raised."""
        self._line(f"  ! ALERTA · RAISED      {_name(item)}")

    def revised(self, item: Item) -> None:
        """Say that the cause of an incident changed."""
        self._line(f"  ~ CAMBIA · REVISED     {_name(item)}")

    def cleared(self, item: Item) -> None:
        """Say that an alert is over."""
        self._line(f"  + TERMINA · CLEARED    {_name(item)}")

    def delivered(self, title: str) -> None:
        """Say that a message arrived at the webhook."""
        self._line(f"  > MENSAJE · DELIVERED  {title}")

    def announce(self, pace: Pace) -> None:
        """Say what will be seen, and that its times are not those of service."""
        sample, frame, hold = pace.timing.sample_s, pace.timing.frame_s, pace.hold_off_ms / 1000
        self.say("Preparo la demostración", "setting up the demonstration")
        for text in (
            f"Tiempos acortados (en servicio): muestra {sample:g} s (10), trama {frame:g} s (30),",
            f"  espera antes de avisar {hold:g} s (60). Sedes reales; todo lo demás es de muestra.",
            f"Shortened times (in service): sample {sample:g} s (10), frame {frame:g} s (30),",
            f"  hold-off before alerting {hold:g} s (60). Real facilities; all else is sample data.",
        ):
            self.plain(f"       {text}")

    def welcome(self, port: int, user: str, password: str) -> None:
        """Say where to look and how to sign in."""
        self.say("Tablero listo", "dashboard ready")
        self.plain(f"\n       http://127.0.0.1:{port}/")
        self.plain(f"       usuario/user: {user}   contraseña/password: {password}\n")

    def plain(self, text: str) -> None:
        """Write text as it is."""
        print(text, flush=True)

    def _line(self, text: str) -> None:
        """Write one line with the time."""
        minutes, seconds = divmod(int(self.seconds), 60)
        print(f"{minutes:02d}:{seconds:02d}  {text}", flush=True)


def _name(item: Item) -> str:
    """Say which incident it is; its title begins with its number."""
    cause = f", {item['cause']}" if item["cause"] else ""
    return f"{item['title']}  [{item['condition']}{cause}]"
