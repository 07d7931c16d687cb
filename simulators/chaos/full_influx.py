"""``python -m simulators.chaos.full_influx``: what InfluxDB loses of what it acknowledged after a full disk.

No part of the product writes here. A round: an InfluxDB on a small tmpfs takes points, each with a field of
its own; the disk is filled until a write fails; there is room again; the same points and others are sent;
SIGKILL and start; more points; SIGKILL and start. Whatever was answered with 204 and is not there after a
start is counted, by what it was. ``--mend`` mends the logs before each start, as the collector does;
with ``--start-full`` it is killed and started while the disk is full, so many times.

At the end a float is sent for a field that was acknowledged as an integer: who takes it has forgotten the
field's type.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import tempfile
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

import click
from influxdb_client.client.influxdb_client import InfluxDBClient

from simulators.chaos.disk import PAGE_BYTES, Disk
from simulators.chaos.servers import ORG, TOKEN, ChaosError, Store

DISK_MIB, MOST_PAGES, MOST_WRITES, SEVERAL = 48, 40, 5000, 40
_SHORTLY_BEFORE_MS = 3_600_000
TYPED, FORGOTTEN = "typed,device=one value", "the type of a field"


class Round:
    """One server from its first start to its end."""

    def __init__(self, folder: Path, chance: random.Random, *, mends: bool, starts_full: int = 0) -> None:
        self.disk = Disk(folder / "data", size_mib=DISK_MIB)
        self.disk.open()
        if self.disk.kind != "tmpfs":
            raise ChaosError("a tmpfs is needed, and root to mount it")
        self.store = Store(folder, self.disk, mends=mends)
        self._chance = chance
        self._starts_full = starts_full
        self._number = 0
        self._acknowledged: dict[int, str] = {}  # number of a point: what it was

    async def run(self) -> dict[str, int]:
        """Return how many points were lost, by what they were."""
        await self.store.start()
        self.store.set_up()
        self._send(f"{TYPED}=1i")
        self._write_several("before")
        self._fill()
        failed = self._write_until_it_fails()
        for more in reversed(range(self._starts_full)):
            await self._restart()
            if more:
                await self._fill_again()
        self.disk.free()
        self._write(failed, "sent again after a failure")
        self._write_several("same process")
        await self._restart()
        self._write_several("after the first start")
        await self._restart()
        there = self._there()
        lost = Counter(what for number, what in self._acknowledged.items() if number not in there)
        if self._send(f"{TYPED}=1.5"):
            lost[FORGOTTEN] += 1
        return lost

    def close(self) -> None:
        """End the server and unmount."""
        self.store.kill()
        self.disk.close()

    async def _restart(self) -> None:
        self.store.kill()
        await self.store.start()

    async def _fill_again(self) -> None:
        """Have room for a while, with or without another start."""
        self.disk.free()
        if self._chance.random() < 0.5:  # noqa: PLR2004 - half
            await self._restart()
        self._write_several("while the disk filled")
        self._fill()
        self._write_until_it_fails()
        if self._chance.random() < 0.5:  # noqa: PLR2004 - half
            self._send(f"{TYPED}=1.5")

    def _fill(self) -> None:
        """Fill the disk but for some pages."""
        self.disk.fill(None, spare=self._chance.randint(0, MOST_PAGES) * PAGE_BYTES)

    def _write_until_it_fails(self) -> list[int]:
        size = self._chance.choice([1, 3, 10])
        for _ in range(MOST_WRITES):
            numbers = self._next(size)
            if not self._write(numbers, "while the disk filled"):
                return numbers
        raise ChaosError("the disk does not get full")

    def _write_several(self, what: str) -> None:
        for _ in range(SEVERAL):
            self._write(self._next(1), what)

    def _next(self, count: int) -> list[int]:
        self._number += count
        return list(range(self._number - count, self._number))

    def _write(self, numbers: list[int], what: str) -> bool:
        """Write points; whether InfluxDB answered 204."""
        start = 1_000 * (self.store.began_ms - _SHORTLY_BEFORE_MS)
        lines = "\n".join(f"chaos,device=one n{number}={number}i {start + number}" for number in numbers)
        if not self._send(lines):
            return False
        self._acknowledged |= dict.fromkeys(numbers, what)
        return True

    def _send(self, lines: str) -> bool:
        """Write lines; whether InfluxDB answered 204."""
        request = urllib.request.Request(  # noqa: S310 - own server
            f"{self.store.url}/api/v2/write?org={ORG}&bucket=first&precision=us",
            data=lines.encode(),
            headers={"Authorization": f"Token {TOKEN}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - own server
                answer.read()
        except urllib.error.HTTPError as error:
            error.read()
            return False
        return True

    def _there(self) -> set[int]:
        """Return the numbers that InfluxDB has."""
        flux = 'from(bucket: "first") |> range(start: 0) |> filter(fn: (r) => r._measurement == "chaos")'
        with InfluxDBClient(self.store.url, TOKEN, org=ORG, timeout=60_000) as client:
            return {int(record.values["_value"]) for record in client.query_api().query_stream(flux)}


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=10, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--mend", is_flag=True, help="Mend the logs before each start.")
@click.option("--start-full", type=int, default=0, help="Start it so many times while its disk is full.")
def main(*, rounds: int, seed: int, mend: bool, start_full: int) -> None:
    """Count acknowledged points that are lost; the last line is the account as JSON."""
    hit: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for number in range(rounds):
        folder = Path(tempfile.mkdtemp(prefix=f"full{os.getpid()}-"))
        chance = random.Random(f"{seed}/{number}")  # noqa: S311 - no secret
        one = Round(folder, chance, mends=mend, starts_full=start_full)
        try:
            found = asyncio.run(one.run())
        finally:
            one.close()
            shutil.rmtree(folder, ignore_errors=True)
        click.echo(f"round {number}: lost {found or 'nothing'}")
        hit.update(found.keys())
        lost.update(found)
    click.echo(json.dumps({"rounds": rounds, "mend": mend, "rounds_that_lost": hit, "points_lost": lost}))


if __name__ == "__main__":
    main()
