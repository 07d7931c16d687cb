"""Talks to the API of a bench that runs."""

from __future__ import annotations

import http.client
import json
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from simulators.bench.failure import BenchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

POLL_S: Final = 0.5
_TIMEOUT_S: Final = 20.0


class Client:
    """The bench at an address; ``?key=`` of the address opens it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname is None:
            raise BenchError(f"{url}: the address of a bench's page, please, as http://127.0.0.1:8090")
        self._url = url
        self._where = parts.hostname, parts.port or 80
        self._key = parse_qs(parts.query).get("key", [""])[0]

    def state(self, lang: str = "es") -> dict[str, Any]:
        """Return everything that the page shows."""
        return self._ask("GET", f"/api/state?lang={lang}")

    def post(self, what: str, body: dict[str, Any]) -> None:
        """Ask for something; ``BenchError`` with the bench's reason when it refuses."""
        self._ask("POST", f"/api/{what}", json.dumps(body))

    def take(self, steps: Iterable[str], lang: str, say: Callable[[str], None]) -> int:
        """Start steps (none named: all), say what came of each, return the exit code."""
        wanted = list(steps)
        before = {one["name"]: one["runs"] for one in self.state(lang)["steps"]}
        self.post("start", {"steps": wanted} if wanted else {})
        told: set[str] = set()
        while True:
            state = self.state(lang)
            ours = [one for one in state["steps"] if not wanted or one["name"] in wanted]
            for one in ours:
                anew = one["runs"] > before[one["name"]] or one["state"] == "skipped"
                if anew and one["name"] not in told and one["state"] in {"passed", "failed", "skipped"}:
                    told.add(one["name"])
                    say(line(one))
            if not state["busy"]:
                return 1 if any(one["state"] == "failed" for one in ours) else 0
            time.sleep(POLL_S)

    def _ask(self, method: str, path: str, body: str | None = None) -> dict[str, Any]:
        connection = http.client.HTTPConnection(*self._where, timeout=_TIMEOUT_S)
        headers = {"Content-Type": "application/json", "X-Bench-Key": self._key}
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            found = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise BenchError(f"{self._url}: no bench answers there ({error})") from error
        finally:
            connection.close()
        if not isinstance(found, dict) or "error" in found:
            raise BenchError(str(found.get("error") if isinstance(found, dict) else found))
        return found


def line(step: dict[str, Any]) -> str:
    """Say in one line what came of a step."""
    said = " ".join(text for text in (step["reason"], step["notes"]) if text)
    return f"{step['state_word']:<10} {step['title']}" + (f": {said}" if said else "")
