"""The public API as the demonstration uses it: JSON over HTTP with a bearer token."""

from __future__ import annotations

import asyncio
import http.client
import json
from typing import Any, cast

from simulators.demo.failure import DemoError

_TIMEOUT_S = 10.0
_OK = 200

Item = dict[str, Any]


class Api:
    """``http://127.0.0.1:<port>/api/v1``."""

    def __init__(self, port: int, token: str = "") -> None:
        self._port = port
        self._token = token

    async def ready(self) -> str | None:
        """Return None when the collector is ready, else what it says instead."""
        try:
            status, body = await asyncio.to_thread(self._get, "/readyz")
        except (OSError, http.client.HTTPException) as error:
            return f"{type(error).__name__}: {error}"
        return None if status == _OK else f"HTTP {status}: {body.decode(errors='replace')[:300]}"

    async def devices(self) -> list[Item]:
        """All devices."""
        return await self._items("/devices")

    async def incidents(self) -> list[Item]:
        """All incidents, open and closed."""
        return await self._items("/incidents?state=all&limit=200")

    async def incident(self, number: int) -> Item:
        """One incident with its history and deliveries."""
        return cast("Item", await self._json(f"/incidents/{number}"))

    async def _items(self, path: str) -> list[Item]:
        """Return the items of a list."""
        return cast("list[Item]", (await self._json(path))["items"])

    async def _json(self, path: str) -> Any:
        """Return what a path of the API says; ``DemoError`` when it does not."""
        try:
            status, body = await asyncio.to_thread(self._get, f"/api/v1{path}")
        except (OSError, http.client.HTTPException) as error:
            raise DemoError(f"GET /api/v1{path}: {type(error).__name__}: {error}") from error
        if status != _OK:
            raise DemoError(f"GET /api/v1{path}: HTTP {status}: {body.decode(errors='replace')[:300]}")
        return json.loads(body)

    def _get(self, path: str) -> tuple[int, bytes]:
        """Return status and body of a GET."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT_S)
        try:
            headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()
