"""Probe once on whichever interpreter runs this: ``probe_once.py OPTIONS`` (JSON); rows on the output.

Options are those of the configuration, with ``targets``, ``authority`` (path of a DER file) and ``dns_port``.
"""

import asyncio
import json
import sys

sys.path.insert(0, __file__.rsplit("/", 3)[0])

from agent.ports.clock import SystemClock
from agent.readers import probes_dns
from agent.readers.probes import Probes
from agent.readers.probes_addresses import parse_target

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

OPTIONS: "dict[str, Any]" = {
    "interval_s": 30,
    "watch_s": 10,
    "https_s": 300,
    "gateway": None,
    "modem": None,
    "dns": None,
    "dns_name": "example.com",
    "targets": [],
    "authority": None,
    "dns_port": 53,
}


class Clock(SystemClock):
    """The machine's clock, as if it were synchronised."""

    def wall_ms(self) -> "int | None":
        """Return the machine's time."""
        import time

        return time.time_ns() // 1_000_000


def main() -> None:
    OPTIONS.update(json.loads(sys.argv[1]))
    probes_dns.PORT = OPTIONS["dns_port"]
    authority = None
    if OPTIONS["authority"]:
        with open(OPTIONS["authority"], "rb") as file:  # noqa: PTH123 - MicroPython has no pathlib
            authority = file.read()
    targets = [target for target in map(parse_target, OPTIONS["targets"]) if target]
    reader = Probes(Clock(), OPTIONS, targets, "/", authority)
    print(json.dumps(asyncio.run(reader.read())))  # noqa: T201 - the output is what this is for


if __name__ == "__main__":
    main()
