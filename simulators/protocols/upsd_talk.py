"""One client of upsd (RFC 9271 and NUT 2.8): pure, without I/O.

Commands and words are taken in any case, as upsd does; names are said back as they came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from agent.errors import ReaderError
from agent.readers import nut
from simulators.protocols import upsd_ask as ask
from simulators.protocols.knobs import KnobError
from simulators.protocols.upsd_rack import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simulators.protocols.upsd_rack import Rack

NETVER: Final = "1.3"
HELP: Final = "Commands: HELP VER GET LIST SET INSTCMD LOGIN LOGOUT USERNAME PASSWORD STARTTLS"
_ANY: Final = 99


@dataclass(frozen=True, slots=True)
class _Command:
    """What answers a command, how many words it takes, whether it wants a user's name and password."""

    answer: Callable[..., list[str]]
    least: int = 0
    most: int = 0
    user: bool = False


class Talk:
    """One client. ``over`` when it has said goodbye."""

    def __init__(self, rack: Rack, address: str) -> None:
        self.address = address
        self.over = False
        self.ups: str | None = None  # that it has logged in to
        self._rack = rack
        self._user: str | None = None
        self._password: str | None = None
        self._tracking = False

    def hear(self, line: str) -> list[str]:
        """Return the lines that answer a command, without their ends."""
        try:
            return self._answer(nut.words(line))
        except RefusedError as refused:
            return [f"ERR {refused}"]
        except ReaderError:
            return ["ERR INVALID-ARGUMENT"]

    def _answer(self, words: list[str]) -> list[str]:
        found = self._COMMANDS.get(words[0].upper()) if words else None
        if found is None:
            raise RefusedError("UNKNOWN-COMMAND")
        if found.user and self._user is None:
            raise RefusedError("USERNAME-REQUIRED")
        if found.user and self._password is None:
            raise RefusedError("PASSWORD-REQUIRED")
        if not found.least <= len(words) - 1 <= found.most:
            raise RefusedError("INVALID-ARGUMENT")
        return found.answer(self, *words[1:])

    def _version(self) -> list[str]:
        return [ask.GREETING]

    def _netver(self) -> list[str]:
        return [NETVER]

    def _help(self) -> list[str]:
        return [HELP]

    def _starttls(self, *_more: str) -> list[str]:
        raise RefusedError("FEATURE-NOT-CONFIGURED")

    def _username(self, name: str) -> list[str]:
        if self._user is not None:
            raise RefusedError("ALREADY-SET-USERNAME")
        self._user = name
        return ["OK"]

    def _pass(self, password: str) -> list[str]:
        if self._password is not None:
            raise RefusedError("ALREADY-SET-PASSWORD")
        self._password = password
        return ["OK"]

    def _may(self, right: str) -> None:
        account = self._rack.accounts.get(self._user or "")
        if account is None or account.password != self._password or not getattr(account, right):
            raise RefusedError("ACCESS-DENIED")

    def _login(self, name: str) -> list[str]:
        if self.ups is not None:
            raise RefusedError("ALREADY-LOGGED-IN")
        own, _ = self._rack.find(name)
        self._may("login")
        self.ups = own
        return ["OK"]

    def _logout(self) -> list[str]:
        self.over = True
        return ["OK Goodbye"]

    def _primary(self, name: str) -> list[str]:
        self._rack.find(name)
        self._may("primary")
        return ["OK PRIMARY-GRANTED"]

    def _master(self, name: str) -> list[str]:
        self._primary(name)
        return ["OK MASTER-GRANTED"]

    def _fsd(self, name: str) -> list[str]:
        own, _ = self._rack.find(name)
        self._may("fsd")
        self._rack.fsd.add(own)
        return ["OK FSD-SET"]

    def _get(self, what: str, *more: str) -> list[str]:
        if what.upper() == "TRACKING":
            return [self._tracked(*more[:1])]
        return [ask.get(self._rack, what, more)]

    def _tracked(self, number: str = "") -> str:
        if not number:
            return "ON" if self._tracking else "OFF"
        if not self._tracking:
            raise RefusedError("FEATURE-NOT-CONFIGURED")
        return self._rack.results.get(number, "ERR UNKNOWN")

    def _list(self, what: str, *more: str) -> list[str]:
        return ask.listing(self._rack, what, more)

    def _set(self, what: str, *more: str) -> list[str]:
        if what.upper() == "TRACKING":
            return self._track(more[0])
        if what.upper() != "VAR" or len(more) < 3:  # noqa: PLR2004 - UPS, variable, value
            raise RefusedError("INVALID-ARGUMENT")
        return self._set_var(*more[:3])

    def _track(self, value: str) -> list[str]:
        if value.upper() not in {"ON", "OFF"}:
            raise RefusedError("INVALID-ARGUMENT")
        self._tracking = value.upper() == "ON"
        return ["OK"]

    def _set_var(self, name: str, variable: str, value: str) -> list[str]:
        _, ups = self._rack.available(name)
        self._may("set")
        self._rack.variable(name, variable)
        knob = self._rack.writable(name).get(variable.lower())
        if knob is None:
            raise RefusedError("READONLY")
        if len(value) > ask.MOST_TEXT:
            raise RefusedError("TOO-LONG")
        try:
            kept = knob.check(value)
        except KnobError:
            raise RefusedError("INVALID-VALUE") from None
        return self._done(ok=ups.set(knob.name, kept), failed="SET-FAILED")

    def _instcmd(self, name: str, command: str, _value: str = "") -> list[str]:
        _, ups = self._rack.available(name)
        if command.lower() not in ups.commands():
            raise RefusedError("CMD-NOT-SUPPORTED")
        self._may("commands")
        return self._done(ok=ups.command(command.lower()), failed="INSTCMD-FAILED")

    def _done(self, *, ok: bool, failed: str) -> list[str]:
        if self._tracking:
            return [f"OK TRACKING {self._rack.track('SUCCESS' if ok else 'ERR FAILED')}"]
        if not ok:
            raise RefusedError(failed)
        return ["OK"]

    _COMMANDS: ClassVar[Mapping[str, _Command]] = {
        "VER": _Command(_version),
        "NETVER": _Command(_netver),
        "PROTVER": _Command(_netver),
        "HELP": _Command(_help),
        "STARTTLS": _Command(_starttls, 0, _ANY),
        "GET": _Command(_get, 1, _ANY),
        "LIST": _Command(_list, 1, _ANY),
        "USERNAME": _Command(_username, 1, 1),
        "PASSWORD": _Command(_pass, 1, 1),
        "LOGIN": _Command(_login, 1, 1, user=True),
        "LOGOUT": _Command(_logout),
        "PRIMARY": _Command(_primary, 1, 1, user=True),
        "MASTER": _Command(_master, 1, 1, user=True),
        "FSD": _Command(_fsd, 1, 1, user=True),
        "SET": _Command(_set, 2, _ANY, user=True),
        "INSTCMD": _Command(_instcmd, 2, 3, user=True),
    }
