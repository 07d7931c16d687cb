"""Read meters on whichever interpreter runs this: ``meters_once.py METERS THINK_MS``; METERS in JSON.

Reads once for each line on the input; each reading goes to the output as a line, rows or the reason why there
are none. The input's end ends it.
"""

import asyncio
import json
import sys

sys.path.insert(0, __file__.rsplit("/", 3)[0])

from agent.errors import ReaderError
from agent.ports.clock import SystemClock
from agent.readers import meter_spec
from agent.readers.meters import make_meters

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any


async def main() -> None:
    meter_spec.THINK_MS = int(sys.argv[2])
    reader = make_meters(json.loads(sys.argv[1]), SystemClock(), 10_000, 2000)
    while sys.stdin.readline():  # waits, which holds up nobody here
        rows: Any
        try:
            rows = await reader.read()
        except ReaderError as error:
            rows = error.reason
        sys.stdout.write(json.dumps(rows) + "\n")
        if hasattr(sys.stdout, "flush"):  # MicroPython writes at once
            sys.stdout.flush()
    await reader.close()


asyncio.run(main())
