"""What the agent's readers make of ``ubus`` on PATH, as JSON; run by either interpreter."""

import asyncio
import json

from agent.ports.command import run
from agent.readers.wan import Wan
from agent.readers.wifi import Wifi
from agent.readers.wifi_day import Day
from agent.readers.wifi_ubus import UbusWifi
from tests.cases import runner
from tests.cases.still import Clock


async def main() -> None:
    """Print the rows."""
    clock = Clock()
    wifi = Wifi(clock, 10_000, UbusWifi(run), Day(clock, -6, runner.Nowhere()), {})
    rows = list(await wifi.read()) + list(await Wan(clock, 10_000, 2000, run, ["wan"]).read())
    print(json.dumps([[row[0], row[1], dict(row[2])] for row in rows]))  # noqa: T201 - its answer


asyncio.run(main())
