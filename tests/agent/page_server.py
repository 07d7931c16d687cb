"""Serve the status page with the readings of a bad day, on whichever interpreter runs this.

Usage: page_server.py PORT LANG [FOLDER]; ``agent`` is taken from FOLDER, which may hold bytecode.
"""

import asyncio
import sys

sys.path.insert(0, sys.argv[3] if len(sys.argv) > 3 else __file__.rsplit("/", 3)[0])

from agent.log import Log
from agent.ports.clock import SystemClock
from agent.samples import Sample
from agent.status_page import Latest, StatusPage

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

BAD_DAY: "dict[str, Any]" = {"device": "biblioteca-central-r1", "site": "Biblioteca Central", "readers": {}}


def readings(now_ms: int) -> "list[Sample]":
    """Return a UPS on battery without input, a gateway that answers, and a clock that is right."""
    rows: list[tuple[str, str | None, dict[str, Any]]] = [
        ("upsd", "sai", {"ob": 1, "input_voltage": 0.0, "age_input_ms": 900, "battery_runtime": 1200.0}),
        ("ping", "gateway", {"result_code": 0, "percent_packet_loss": 0.0, "average_response_ms": 1.2}),
        ("net", "aa:bb:cc:dd:ee:01", {"carrier": 1, "speed": 1000, "bytes_recv": 123456789}),
        ("clock", None, {"synced": 1}),
        (
            "http_response",
            "https://portal.example/a/very/long/way/to/the/page",
            {"result_code": 0},
        ),
    ]
    return [Sample(now_ms, measurement, instance, fields) for measurement, instance, fields in rows]


def status(now_ms: int) -> "dict[str, Any]":
    """Return an agent that has lost its link."""
    counts: dict[str, int] = {}
    return {"started_ms": 0, "heard_ms": now_ms, "link": "down", "spooled": 143, "dropped": counts}


def main(port: int, lang: str) -> None:
    """Serve until killed."""
    clock = SystemClock()
    began_ms = clock.uptime_ms()
    latest = Latest(clock)
    latest.take("all", readings(began_ms), "")
    latest.take("wifi", [], "garbage: <b>bold aa:bb:cc:dd:ee:02")
    page = {"address": "127.0.0.1", "port": port, "lang": lang, "names": ["router.lan"]}
    config = dict(BAD_DAY, status_page=page)
    log = Log(clock.uptime_ms)
    asyncio.run(StatusPage(config, latest, lambda: status(began_ms), clock, log).run())


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
