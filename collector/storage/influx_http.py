"""The one request of InfluxDB's that the ingest sends all day: points, as line protocol.

Without influxdb-client, whose import alone costs 13 MB and a tenth of a second; what it is better at
(queries, buckets, tasks) is loaded when it is asked for.
POST /api/v2/write: https://docs.influxdata.com/influxdb/v2/api/
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import urllib3

if TYPE_CHECKING:
    from collector.config import InfluxConfig

NO_CONTENT = 204


class Answer(Exception):  # noqa: N818 - what the server said; whoever asked decides whether it is an error
    """InfluxDB did not take the points: its status and what it said, in one line."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status} {text}")
        self.status = status
        self.text = text


class LineWriter:
    """Sends lines over connections that are kept. Raises ``Answer`` and urllib3's ``HTTPError``."""

    def __init__(self, config: InfluxConfig, token: str) -> None:
        self._config = config
        self._headers = {"Authorization": f"Token {token}", "Content-Type": "text/plain; charset=utf-8"}
        timeout = urllib3.Timeout(total=config.timeout_ms / 1000)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False)

    def write(self, bucket: str, lines: bytes) -> None:
        """Send lines with times in ms."""
        query = urlencode({"org": self._config.org, "bucket": bucket, "precision": "ms"})
        url = f"{self._config.url.rstrip('/')}/api/v2/write?{query}"
        answer = self._pool.request("POST", url, body=lines, headers=self._headers)
        if answer.status != NO_CONTENT:
            raise Answer(answer.status, message(answer.data, answer.reason))

    def close(self) -> None:
        """Give the connections back."""
        self._pool.clear()


def message(body: bytes | str | None, reason: str | None) -> str:
    """Return what InfluxDB says, in one line."""
    try:
        text = str(json.loads(body or b"")["message"])
    except (TypeError, ValueError, KeyError):
        text = str(reason or body)
    return " ".join(text.split())[:300]
