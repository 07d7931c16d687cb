"""Messages by Apprise: mail, Telegram, Signal, SMS gateways, webhooks, by one URL per channel.

The URL is a secret and is read anew for each message, so that a replaced token needs no restart. Apprise
answers no and writes the reason to its log; the reason is caught there (of our own call only, whatever
thread Apprise runs it in), and an HTTP status in it tells permanent from temporary.
"""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

import apprise

from collector.alerts.channels.errors import PermanentChannelError, TemporaryChannelError
from collector.config import secret
from collector.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector.config import ChannelConfig

# RFC 9110: the request itself is wrong; sent again as it is, it fails again. 401, 403 and 404 are left out,
# for somebody may put the token or address right while the message still matters; so are 408, 425 and 429.
PERMANENT: Final = frozenset({400, 405, 406, 410, 411, 413, 414, 415, 422})
# Apprise hands its caller's context on to the threads that it sends from.
_CALL: ContextVar[_Catcher | None] = ContextVar("call", default=None)
_STATUS = re.compile(r"error=(\d{3})")


class AppriseChannel:
    """A channel behind an Apprise URL, from ``url_file`` or ``VIGIA_CHANNEL_<NAME>``."""

    def __init__(self, name: str, config: ChannelConfig, timeout_ms: int) -> None:
        self._name = name
        self._config = config
        self._timeout_s = timeout_ms / 1000
        # Apprise logs a URL that it cannot read, secrets and all; what matters of its lines we report
        logging.getLogger("apprise").propagate = False

    def check(self) -> None:
        """See that the URL is there and that Apprise knows its kind; ``ConfigError``."""
        self._open()

    def send(self, title: str, body: str) -> None:
        """Hand a message over; each connection and answer may take the timeout."""
        try:
            service = self._open()
        except ConfigError as error:
            raise TemporaryChannelError(str(error)) from error
        with _reasons() as reasons:
            try:
                taken = service.notify(body, title=title, body_format=apprise.NotifyFormat.TEXT)
            except (TypeError, ValueError) as error:
                raise PermanentChannelError(f"Apprise: {type(error).__name__}") from error
        if not taken:
            _refuse(reasons)

    def _open(self) -> Any:
        variable = f"VIGIA_CHANNEL_{re.sub(r'[^A-Za-z0-9]', '_', self._name).upper()}"
        url = secret(self._config.url_file, variable)
        service = apprise.Apprise()
        if not url or not service.add(url):
            raise ConfigError(f"channel '{self._name}': not a URL that Apprise knows")
        for plugin in service:
            plugin.socket_connect_timeout = self._timeout_s
            plugin.socket_read_timeout = self._timeout_s
        return service


def _refuse(reasons: list[str]) -> None:
    """Raise what the caught log lines tell."""
    reason = reasons[-1] if reasons else "not delivered, no reason given"
    status = _STATUS.search(reason)
    if status and int(status[1]) in PERMANENT:
        raise PermanentChannelError(reason)
    raise TemporaryChannelError(reason)


@contextmanager
def _reasons() -> Iterator[list[str]]:
    """Catch the warnings that Apprise writes during our own call."""
    handler = _Catcher()
    logger = logging.getLogger("apprise")
    logger.addHandler(handler)
    call = _CALL.set(handler)
    try:
        yield handler.lines
    finally:
        _CALL.reset(call)
        logger.removeHandler(handler)


class _Catcher(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line of our own call."""
        if _CALL.get() is self:
            self.lines.append(record.getMessage()[:200])
