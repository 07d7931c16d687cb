"""A real HTTP receiver for the messages that Apprise's ``json://`` channel sends."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

_NUMBER = re.compile(r"#(\d+)")
_PATH = "/vigia"
_MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it arrived; ``incident`` is the number it names, None when it names none."""

    incident: int | None
    type: str
    title: str
    body: str


class Webhook:
    """Listens on a free port of the loopback while ``with`` lasts."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        handler = type("Handler", (_Handler,), {"receive": self._receive})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Return the address in Apprise's form."""
        return f"json://127.0.0.1:{self._server.server_address[1]}{_PATH}"

    def all(self) -> list[Message]:
        """Return all messages, in order of arrival."""
        return list(self._messages)

    def messages(self, incident: int) -> list[Message]:
        """Return the messages about an incident, in order of arrival."""
        return [message for message in tuple(self._messages) if message.incident == incident]

    def _receive(self, data: dict[str, Any]) -> None:
        """Keep a message."""
        title, body = str(data.get("title", "")), str(data.get("message", ""))
        found = _NUMBER.search(f"{title}\n{body}")
        number = int(found.group(1)) if found else None
        self._messages.append(Message(number, str(data.get("type", "")), title, body))


class _Handler(BaseHTTPRequestHandler):
    """Takes JSON by POST; ``receive`` is set by the ``Webhook`` that it belongs to."""

    receive: Any

    def do_POST(self) -> None:
        """Take one message."""
        length = min(int(self.headers.get("Content-Length", 0)), _MAX_BYTES)
        try:
            data = json.loads(self.rfile.read(length))
        except ValueError:
            self.send_error(400)
            return
        type(self).receive(data)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Say nothing on the terminal."""
