"""How long from ``OB`` in upsd to an incident on the dashboard: ``python -m tests.bench.ob`` (make bench-ob).

The whole chain as real processes at the agent's default rates: upsd, agent, Mosquitto over mutual TLS,
collector with InfluxDB. A UPS leaves the line at a random moment; the clock stops when the API, which the
dashboard shows, has the event (``on_battery`` or ``supply_lost``). Reading the API takes its own time, and is
counted in.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from pathlib import Path

from tests.bench.say import say
from tests.e2e.chain import Chain
from tests.servers import programs
from tests.servers.wait import until

CONDITIONS = ("on_battery", "supply_lost")
DEFAULTS = {"sample_s": 10, "watch_s": 2, "frame_s": 30, "keepalive_s": 20}
EVERY_S = 0.05


def tools() -> dict[str, str]:
    packages = {"upsd": "nut-server", "dummy-ups": "nut-server", "upsc": "nut-client", "upsrw": "nut-client"}
    return {name: programs.packaged(name, package) for name, package in packages.items()}


def incidents(chain: Chain) -> set[int]:
    """The incidents of a UPS off the line that the API has."""
    return {int(item["id"]) for name in CONDITIONS for item in chain.incidents(name)}


def is_open(chain: Chain) -> bool:
    return any(item["cleared_ms"] is None for name in CONDITIONS for item in chain.incidents(name))


def turn(chain: Chain, rng: random.Random) -> float:
    """Leave the line once; return the seconds until the API says so."""
    before = incidents(chain)
    time.sleep(rng.uniform(0, 2 * DEFAULTS["watch_s"]))
    chain.upsd.set("ups.status", "OB")  # returns when upsd says so
    began = time.monotonic()
    until(lambda: incidents(chain) - before or is_open(chain), "the event", timeout_s=60, every_s=EVERY_S)
    took = time.monotonic() - began
    chain.upsd.set("ups.status", "OL")
    until(lambda: not is_open(chain), "its end", timeout_s=120, every_s=0.5)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=30, help="how often the UPS leaves the line")
    asked = parser.parse_args()
    rng = random.Random(1)  # noqa: S311 - chance that can be repeated
    with tempfile.TemporaryDirectory(prefix="vigia-bench-ob-") as folder:
        chain = Chain(
            Path(folder),
            programs.packaged("mosquitto", "mosquitto"),
            programs.built("influxd", "influxd"),
            tools(),
        )
        try:
            chain.start_servers()
            chain.start_collector()
            chain.token = chain.call(
                "vigia-collector", "user", "token", "--config", "collector.toml", "bench"
            ).strip()
            chain.start_agent(**DEFAULTS)
            until(
                lambda: (chain.api("/devices")["items"] or [{}])[0].get("frames_stored"),
                "a frame",
                timeout_s=90,
            )
            times = []
            for number in range(asked.turns):
                times.append(turn(chain, rng))
                say(f"{number + 1:3}  {times[-1]:.2f} s")
        finally:
            chain.stop()
    times.sort()
    rank = min(len(times) - 1, int(0.99 * len(times)))
    figures = {"turns": len(times), "p50_s": times[len(times) // 2], "p99_s": times[rank], "max_s": times[-1]}
    say(json.dumps({name: round(value, 2) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
