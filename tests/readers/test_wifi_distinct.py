"""How many distinct clients a day has, and that nothing of them is kept."""

from __future__ import annotations

import hashlib
import math
import statistics
from pathlib import Path

import pytest

from agent.ports.files import Files
from agent.readers.hyperloglog import REGISTERS, HyperLogLog
from agent.readers.wifi_day import DAY_MS, HOUR_MS, Day, RamFile, in_memory
from tests.cases.runner import Nowhere
from tests.cases.still import Clock

THEORY = 1.04 / math.sqrt(REGISTERS)
SEEDS = 200
# 23:00 of 14 November 2023 in Mexico City, which is 05:00 UTC of the 15th
LATE_EVENING_MS = 1_700_024_400_000


class Settable(Clock):
    """A clock that a test moves; its random bytes are others each time, and the same in every run."""

    def __init__(self, wall_ms: int | None = None, boot: int = 1) -> None:
        self.started_wall_ms = wall_ms
        self.boot = boot
        self._drawn = 0

    def wall_ms(self) -> int | None:
        return None if self.started_wall_ms is None else self.started_wall_ms + self.now_ms

    def kernel_boot(self) -> bytes:
        return bytes([self.boot]) * 16

    def random_bytes(self, count: int) -> bytes:
        self._drawn += 1
        return hashlib.sha256(bytes([self._drawn])).digest()[:count]


class Shelf(Nowhere):
    """Keeps in this object."""

    data: bytes | None = None

    def load(self) -> bytes | None:
        return self.data

    def save(self, data: bytes) -> None:
        self.data = data


def mac(number: int) -> bytes:
    return b"\x5a" + number.to_bytes(5, "big")


def sketch(seed: int, count: int) -> HyperLogLog:
    made = HyperLogLog()
    for number in range(count):
        made.add(hashlib.sha256(f"{seed}/{number}".encode()).digest())
    return made


@pytest.mark.parametrize("count", [100, 1000, 2500, 4000])
def test_the_error_is_that_of_theory_over_many_seeds(count):
    """2,500 and 4,000 lie where the classic estimator changes its formula and is biased."""
    errors = [sketch(seed, count).count() / count - 1 for seed in range(SEEDS)]
    deviation = math.sqrt(statistics.fmean(error * error for error in errors))
    assert abs(statistics.fmean(errors)) < 4 * THEORY / math.sqrt(SEEDS)
    assert deviation < THEORY * 1.2
    assert max(abs(error) for error in errors) < 5 * THEORY


def test_small_numbers_are_nearly_exact():
    assert HyperLogLog().count() == 0
    for count in range(1, 12):
        assert statistics.fmean(sketch(seed, count).count() for seed in range(50)) == pytest.approx(
            count, abs=0.2
        )


def test_a_large_number_is_estimated_from_one_kibibyte():
    made = sketch(1, 60_000)
    assert len(made.dump()) == 1024
    assert made.count() == pytest.approx(60_000, rel=4 * THEORY)


def test_seeing_again_changes_nothing():
    made = sketch(3, 500)
    before = made.dump()
    made.merge(sketch(3, 500))
    assert made.dump() == before


def test_merging_counts_each_once():
    left, right, both = HyperLogLog(), HyperLogLog(), HyperLogLog()
    for number in range(3000):
        hashed = hashlib.sha256(mac(number)).digest()
        both.add(hashed)
        (left if number < 2000 else right).add(hashed)
        if number >= 1500:
            right.add(hashed)
    left.merge(right)
    assert left.dump() == both.dump()


@pytest.mark.parametrize("registers", [b"", bytes(1023), bytes(1023) + b"\x22"])
def test_what_is_no_sketch_is_refused(registers):
    with pytest.raises(ValueError, match="no registers"):
        HyperLogLog(registers)


def fill(day: Day, access_point: str, numbers: range) -> None:
    day.roll()
    for number in numbers:
        day.see(access_point, mac(number))
    day.keep()


def test_a_client_of_two_access_points_is_one_of_the_device():
    day = Day(Settable(), -6, Shelf())
    fill(day, "wlan0", range(40))
    fill(day, "wlan1", range(20, 60))
    assert day.count("wlan0") == pytest.approx(40, abs=3)
    assert day.count("wlan1") == pytest.approx(40, abs=3)
    assert day.count("wlan2") == 0
    assert day.count() == pytest.approx(60, abs=4)


def test_a_day_ends_at_local_midnight():
    clock = Settable(LATE_EVENING_MS)
    day = Day(clock, -6, Shelf())
    fill(day, "wlan0", range(30))
    clock.now_ms = HOUR_MS - 1000
    fill(day, "wlan0", range(30))
    assert day.count() == pytest.approx(30, abs=3)
    clock.now_ms = HOUR_MS
    fill(day, "wlan0", range(5))
    assert day.count() == 5
    clock.now_ms += DAY_MS - 1000
    fill(day, "wlan0", range(5))
    assert day.count() == 5
    clock.now_ms += 1000
    day.roll()
    assert day.count() == 0


def test_without_a_synchronised_clock_a_day_has_24_hours():
    clock = Settable()
    day = Day(clock, -6, Shelf())
    fill(day, "wlan0", range(10))
    clock.now_ms += DAY_MS - 1
    fill(day, "wlan0", range(10, 12))
    assert day.count() == 12
    clock.now_ms += 1
    day.roll()
    assert day.count() == 0


@pytest.mark.parametrize(("hours", "kept"), [(0.5, 4), (2.0, 0)])
def test_a_clock_that_is_set_later_tells_whether_midnight_has_passed(hours, kept):
    clock = Settable()
    day = Day(clock, -6, Shelf())
    fill(day, "wlan0", range(4))
    clock.now_ms = int(hours * HOUR_MS)
    clock.started_wall_ms = LATE_EVENING_MS
    day.roll()
    assert day.count() == kept
    day.roll()
    assert day.count() == kept


def test_a_restart_goes_on_counting_the_same_day():
    clock, shelf = Settable(LATE_EVENING_MS), Shelf()
    fill(Day(clock, -6, shelf), "wlan0", range(30))
    again = Day(clock, -6, shelf)
    fill(again, "wlan0", range(30))
    assert again.count() == again.count("wlan0") == pytest.approx(30, abs=3)


@pytest.mark.parametrize("change", ["kernel", "cut", "other", "key", "registers", "version"])
def test_what_is_not_this_kernels_whole_day_is_not_taken_up(change):
    shelf = Shelf()
    fill(Day(Settable(LATE_EVENING_MS), -6, shelf), "wlan0", range(30))
    data = shelf.data
    assert data is not None
    shelf.data = {
        "kernel": data,
        "cut": data[:-1],
        "other": b"\x80",
        "key": data.replace(b"\x50", b"\x4f", 2),  # 15 bytes
        "registers": data[:-1] + b"\xff",
        "version": data[:1] + b"\x02" + data[2:],
    }[change]
    day = Day(Settable(LATE_EVENING_MS, boot=2 if change == "kernel" else 1), -6, shelf)
    assert day.count() == 0


def test_the_key_is_another_one_every_day():
    """The same clients leave other traces, so that two days cannot be compared."""
    clock, shelf = Settable(), Shelf()
    day = Day(clock, -6, shelf)
    traces = []
    for _ in range(3):
        fill(day, "wlan0", range(50))
        traces.append(day._sketches["wlan0"].dump())
        clock.now_ms += DAY_MS
    assert len(set(traces)) == 3
    keys = {day._key}
    day.roll()
    assert day._key not in keys
    day.keep()
    assert not any(key in (shelf.data or b"") for key in keys)


def test_unchanged_days_are_not_written_again():
    shelf = Shelf()
    day = Day(Settable(), -6, shelf)
    fill(day, "wlan0", range(20))
    assert shelf.data is not None
    shelf.data = None
    for _ in range(5):
        fill(day, "wlan0", range(20))
    assert shelf.data is None


MOUNTS = """\
/dev/root / squashfs ro 0 0
tmpfs /tmp tmpfs rw 0 0
/dev/sda1 /tmp/usb ext4 rw 0 0
overlayfs:/overlay / overlay rw 0 0
ramfs /srv/x ramfs rw 0 0
broken
"""


@pytest.mark.parametrize(
    ("folder", "memory"),
    [
        ("/tmp/vigia", True),  # noqa: S108 - the documented default
        ("/tmp", True),  # noqa: S108 - same
        ("/tmp/usb/vigia", False),  # noqa: S108 - same
        ("/tmpx", False),  # noqa: S108 - same
        ("/etc/vigia", False),
        ("/srv/x", True),
    ],
)
def test_memory_is_known_by_the_mounts(folder, memory):
    assert in_memory(folder, MOUNTS) is memory


def test_nothing_is_written_to_a_disk(tmp_path):
    mounts = tmp_path / "mounts"
    target = tmp_path / "ram" / "wifi-day"
    mounts.write_text("/dev/root / ext4 rw 0 0\n")
    RamFile(str(target), Files(), str(mounts)).save(b"x")
    assert not target.exists()
    mounts.write_text(f"/dev/root / ext4 rw 0 0\ntmpfs {tmp_path} tmpfs rw 0 0\n")
    file = RamFile(str(target), Files(), str(mounts))
    assert file.load() is None
    file.save(b"x")
    assert target.read_bytes() == b"x"
    assert file.load() == b"x"


def test_a_full_memory_costs_only_the_restart(tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"tmpfs {tmp_path} tmpfs rw 0 0\n")
    (tmp_path / "wifi-day.new").mkdir()
    RamFile(str(tmp_path / "wifi-day"), Files(), str(mounts)).save(b"x")
    assert not Path(tmp_path / "wifi-day").exists()


def test_without_a_file_nothing_is_kept():
    file = RamFile(None, Files())
    file.save(b"x")
    assert file.load() is None
