"""Whether what an InfluxDB process acknowledges will still be there after its next start.

InfluxDB notes new series and fields in memory before they go to disk. When the disk does not take them, it
answers 500 and keeps the note: the same points are acknowledged with 204 when they come again, and every
query finds them, until the next start reads from disk what is really there. So nobody can check by reading
back; only a new process tells the truth. Measured with 2.7.12: ``simulators/chaos/full_influx.py``.

Therefore a process that has answered writes with 500 is not written to any more, but for its own time limit
and a full cache, which leave no such notes. Its counters say so, to every client and after every start of
ours, and end with it (https://docs.influxdata.com/influxdb/v2/reference/internals/metrics/).
"""

from __future__ import annotations

import re

import urllib3

_LINE = re.compile(r"^(?P<name>[a-z_]+)(?:\{(?P<labels>.*)\})? (?P<value>[0-9.e+]+)$", re.MULTILINE)
_WRITE_FAILED = ('path="/api/v2/write"', 'response_code="500"')
_HARMLESS = ("storage_writer_timeouts", "storage_cache_writes_err")


class InfluxTrust:
    """Asks one server; doubts at the start and whenever it is told to."""

    def __init__(self, url: str, timeout_ms: int) -> None:
        self._url = f"{url.rstrip('/')}/metrics"
        self._http = urllib3.PoolManager(num_pools=1, retries=False, timeout=timeout_ms / 1000)
        self._doubt = True

    def doubt(self) -> None:
        """Ask again before the next write."""
        self._doubt = True

    def broken(self) -> str | None:
        """Return why this process may not be written to, None when it may. Raises urllib3's errors.

        A server that shows no metrics (``--metrics-disabled``, a proxy) cannot be judged and is believed.
        """
        if not self._doubt:
            return None
        answer = self._http.request("GET", self._url)
        failed = failed_writes(answer.data.decode(errors="replace")) if answer.status == 200 else 0  # noqa: PLR2004 - HTTP's OK
        if failed > 0:
            return (
                f"has failed {failed} writes since it started (a full disk?) and would lose what it takes "
                "now at its next start: make room and restart it (`run` restarts its own once there is room)"
            )
        self._doubt = False
        return None

    def close(self) -> None:
        """Give connections back."""
        self._http.clear()


def failed_writes(metrics: str) -> int:
    """Return how many writes a process failed for another reason than its time limit or a full cache."""
    failed = harmless = 0.0
    for line in _LINE.finditer(metrics):
        name, labels = line["name"], line["labels"] or ""
        if name == "http_api_requests_total" and all(label in labels for label in _WRITE_FAILED):
            failed += float(line["value"])
        elif name in _HARMLESS:
            harmless += float(line["value"])
    return int(failed - harmless)
