"""An InfluxDB whose disk was full, or that was killed while it wrote: what was acknowledged stays."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from collector import influxd
from collector.clock import SystemClock
from collector.config import StoreConfig
from collector.errors import StoreUnavailableError
from collector.model import Point
from collector.storage import influx_wal
from collector.storage.influx import InfluxStore
from collector.storage.influx_trust import failed_writes
from collector.storage.port import SeriesQuery
from simulators.chaos.disk import Disk
from tests.servers.influx import InfluxServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TORN = b"\x01\x00\x00\x02\x00\x10half an entry"
NUMBERS = range(3)


class Bench:
    """A server of its own and the store on it; points are numbered by their time."""

    def __init__(self, binary: str, folder: Path) -> None:
        self.folder = folder
        self.server = InfluxServer(binary, folder)
        self.server.start()
        self.config = StoreConfig(influx=self.server.config())
        self.store = InfluxStore(self.config, self.server.token, SystemClock())
        self.store.provision()
        self.begin_ms = time.time_ns() // 1_000_000 - 3_600_000

    def write(self, number: int, device: str = "r1") -> None:
        tags = (("device", device), ("site", "casa"))
        point = Point("system", tags, (("load1", float(number)),), self.begin_ms + number)
        assert self.store.write([[point]])[0].reason is None

    def write_until_it_fails(self) -> int:
        """Return the first number that was not taken."""
        for number in range(1, 2000):
            try:
                self.write(number, f"r{number}")
            except StoreUnavailableError as error:
                assert "500" in str(error)  # noqa: PT017 - one of many writes
                return number
        raise AssertionError("the disk does not get full")

    def there(self) -> set[int]:
        query = SeriesQuery("casa", "system", ("load1",), self.begin_ms, self.begin_ms + 100_000)
        return {int(value) for series in self.store.series(query) for _, value in series.points}

    def tear(self) -> None:
        """Die in the middle of a write to the log."""
        self.server.kill()
        [log] = (self.folder / "engine" / "wal").glob("*/*/*/_*.wal")
        with log.open("ab") as file:
            file.write(TORN)

    def restart(self, *, mend: bool = True) -> list[str]:
        self.server.kill()
        mended = influx_wal.mend(self.folder) if mend else []
        self.server.start()
        return mended


@pytest.fixture
def bench(influxd_bin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr("simulators.chaos.disk.shutil.which", lambda _name: None)  # limits, as without root
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    made = Bench(influxd_bin, tmp_path)
    yield made
    made.store.close()
    made.server.kill()
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.server
def test_a_server_whose_disk_was_full_gets_nothing_more_until_it_is_restarted(bench: Bench) -> None:
    bench.write(0)
    disk = Disk(bench.folder, size_mib=1)
    disk.open()
    disk.fill(bench.server.pid)
    number = bench.write_until_it_fails()
    disk.free()
    fresh = InfluxStore(bench.config, bench.server.token, SystemClock())  # the ingest may have been restarted
    point = Point("system", (("device", "r1"), ("site", "casa")), (("load1", 1.0),), bench.begin_ms)
    for store in (bench.store, fresh):
        with pytest.raises(StoreUnavailableError, match=r"failed \d+ writes .* restart it"):
            store.write([[point]])
    fresh.close()
    kept = bench.there() - {number}  # of what failed, memory may show some
    bench.restart()
    assert bench.there() == kept
    bench.write(number)
    assert bench.there() == kept | {number}


@pytest.mark.server
def test_run_starts_its_own_server_anew_when_the_disk_has_room_again(
    influxd_bin: str, tmp_path: Path
) -> None:
    disk = Disk(tmp_path / "disk", size_mib=24)
    disk.open()
    if disk.kind != "tmpfs":
        pytest.skip("a small disk needs a mount, which only root may make")
    bench = Bench(influxd_bin, disk.folder)
    config = bench.config.influx.model_copy(update={"data_dir": disk.folder})
    failing = influxd.failing(config)
    try:
        bench.write(0)
        assert failing() is None
        disk.fill(bench.server.pid)
        number = bench.write_until_it_fails()
        assert failing() is None  # a new start would only fail again
        with pytest.raises(OSError, match="too little room"):
            influxd.make_ready(config, print)
        disk.free()
        assert failing() == "has failed writes and has room now"
        bench.tear()
        mended: list[str] = []
        influxd.make_ready(config, mended.append)
        assert len(mended) == 1
        bench.server.start()
        assert failing() is None
        bench.write(number)
        bench.server.kill()
        assert failing() is None  # silence says nothing of its writes
    finally:
        bench.store.close()
        bench.server.kill()
        disk.close()


@pytest.mark.server
@pytest.mark.parametrize("mend_at_once", [True, False])
def test_what_is_acknowledged_after_a_torn_write_survives_the_next_crash(bench: Bench, mend_at_once) -> None:
    bench.write(0)
    bench.tear()
    mended = bench.restart(mend=mend_at_once)
    assert len(mended) == mend_at_once
    bench.write(1)
    bench.restart()
    bench.write(2)
    bench.restart()
    assert bench.there() == set(NUMBERS)


@pytest.mark.server
def test_the_logs_of_a_running_server_are_left_alone(bench: Bench) -> None:
    for number in NUMBERS:
        bench.write(number)
    [log] = (bench.folder / "engine" / "wal").glob("*/*/*/_*.wal")
    with log.open("ab") as file:
        file.write(TORN)
    before = log.read_bytes()
    assert "is running" in influx_wal.mend(bench.folder)[0]
    assert log.read_bytes() == before


def test_a_folder_without_a_server_s_data_needs_no_mending(tmp_path: Path) -> None:
    assert influx_wal.mend(tmp_path) == []


# snappy: "abc", and "abcabcabc" with copies of 1, 2 and 4 bytes of offset
PACKED = [
    b"\x03\x08abc",
    b"\x0a\x08abc\x0d\x03",
    b"\x09\x08abc\x16\x03\x00",
    b"\x09\x08abc\x17\x03\x00\x00\x00",
    b"\x64\xf0\x63" + bytes(100),
]


def entry(block: bytes, kind: int = 1) -> bytes:
    return bytes([kind]) + len(block).to_bytes(4, "big") + block


WHOLE = [entry(block, 1 + number % 3) for number, block in enumerate(PACKED)]


def test_whole_entries_are_kept() -> None:
    assert influx_wal.whole(b"".join(WHOLE)) == b"".join(WHOLE)
    assert influx_wal.whole(b"") == b""


@pytest.mark.parametrize(
    "end",
    [
        WHOLE[1][:3],  # in the head
        WHOLE[1][:-1],
        entry(PACKED[0], kind=4),
        entry(b"\x04\x08abc"),  # shorter than it promises
        entry(b"\x02\x08abc"),  # longer
        entry(b"\x09\x08abc\x16\x04\x00"),  # copies from before the beginning
        entry(b"\x09\x08abc\x16\x00\x00"),  # copies from where it is
        entry(b"\x09\x08abc\x16\x03"),  # half a copy
        entry(b"\x64\xf0"),  # half a length
        entry(b"\xff"),  # half a promise
        entry(PACKED[4][:50] + bytes(60)),  # a page that was never written
    ],
)
def test_a_torn_end_is_cut(end: bytes) -> None:
    assert influx_wal.whole(WHOLE[0] + end) == WHOLE[0]


def test_what_stands_behind_a_hole_is_kept() -> None:
    log = WHOLE[0] + bytes(31) + WHOLE[1] + WHOLE[2] + bytes(4096) + WHOLE[3] + bytes(2)
    assert influx_wal.whole(log) == b"".join(WHOLE[:4])


METRICS = """# TYPE http_api_requests_total counter
http_api_requests_total{{handler="platform",method="POST",path="/api/v2/query",response_code="500"}} 7
http_api_requests_total{{handler="platform",method="POST",path="/api/v2/write",response_code="204"}} 1.2e+06
http_api_requests_total{{handler="platform",method="POST",path="/api/v2/write",response_code="500"}} {failed}
http_api_requests_total{{handler="platform",method="POST",path="/api/v2/write",response_code="503"}} 5
storage_cache_writes_err{{bucket="b",id="1"}} {cache}
storage_writer_timeouts{{path="/engine"}} {timeouts}
"""


@pytest.mark.parametrize(
    ("failed", "cache", "timeouts", "wanted"),
    [(0, 0, 0, 0), (3, 0, 0, 3), (3, 0, 3, 0), (3, 2, 1, 0), ("1e+02", 0, 1, 99)],
)
def test_which_writes_count_as_failed(failed, cache, timeouts, wanted) -> None:
    assert failed_writes(METRICS.format(failed=failed, cache=cache, timeouts=timeouts)) == wanted


def test_a_server_that_shows_no_metrics_has_none() -> None:
    assert failed_writes("<html>not here</html>") == 0
