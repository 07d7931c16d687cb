"""The spool: whatever is cut, torn, changed, full or forbidden, the rest survives and the loss is counted."""

from __future__ import annotations

import errno
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent import segment
from agent.log import Log
from agent.ports.files import Files
from agent.segment import Record
from agent.shelf import SEGMENT_BYTES
from agent.spool import MEMORY_BYTES, Spool

if TYPE_CHECKING:
    from pathlib import Path

INCARNATION = b"incarnat"
QUIET = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def record(seq: int, kind: str = "data", size: int = 100, device: str = "mx-001", boot: int = 1) -> Record:
    frame = random.Random(seq).randbytes(size)  # noqa: S311 - test data
    return Record(kind, boot, INCARNATION, seq, f"vigia/v1/a/{device}/{kind}", frame)


def spool_in(
    folder: Path, files: Files | None = None, *, flash: bool = True, limit: int = 512 * 1024
) -> Spool:
    log = Log(lambda: 0, lambda _line: None)
    folders = (str(folder / "ram"), str(folder / "flash") if flash else None)
    made = Spool(files or Files(), folders, limit, log)
    made.recover("mx-001")
    return made


def kept(spool: Spool) -> dict[int, bytes]:
    return {entry.seq: spool.read(entry) for entry in spool.entries()}


def segments(folder: Path, shelf: str) -> list[Path]:
    return sorted((folder / shelf).glob("*.seg"))


class FaultyFiles(Files):
    """A file system that refuses what it is told to refuse; a full one takes the first part of a write."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.takes = 0
        self.writes: list[str] = []

    def _check(self, what: str, code: int = errno.EROFS) -> None:
        if what in self.refused:
            raise OSError(code, "refused")

    def append(self, path: str, data: bytes, *, sync: bool) -> None:
        if "append" in self.refused:
            super().append(path, data[: self.takes], sync=False)
            raise OSError(errno.ENOSPC, "No space left on device")
        self.writes.append(path)
        super().append(path, data, sync=sync)

    def write_new(self, path: str, data: bytes, *, sync: bool) -> None:
        self._check("write_new")
        self.writes.append(path)
        super().write_new(path, data, sync=sync)

    def remove(self, path: str) -> None:
        self._check("remove")
        super().remove(path)

    def make_folder(self, path: str) -> None:
        self._check("make_folder")
        super().make_folder(path)


# --- the format ---


@QUIET
@given(
    st.sampled_from(segment.KINDS), st.integers(0, 2**32 - 1), st.integers(0, 2**63), st.binary(max_size=300)
)
def test_a_record_comes_back_as_it_was(kind, boot, seq, frame):
    given_one = Record(kind, boot, INCARNATION, seq, "vigia/v1/a/mx-001/data", frame)
    back = segment.decode(segment.encode(given_one))
    assert vars(back) == vars(given_one)


@QUIET
@given(st.binary(max_size=2000))
def test_no_bytes_break_the_scan_and_every_byte_is_accounted_for(data):
    records, torn = segment.scan(data)
    assert sum(size for _, size, _ in records) + torn == len(data)


@QUIET
@given(st.data())
def test_a_bad_spot_costs_only_the_records_it_touches(data):
    datas = [segment.encode(record(seq)) for seq in range(5)]
    whole = bytearray(b"".join(datas))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    hit = at // len(datas[0])
    records, torn = segment.scan(bytes(whole))
    assert [found.seq for _, _, found in records] == [seq for seq in range(5) if seq != hit]
    assert torn == len(datas[0])


# --- what a power cut leaves ---


def test_a_write_cut_at_every_byte_loses_that_write_only(tmp_path):
    datas = [segment.encode(record(seq, size=20)) for seq in range(3)]
    whole = b"".join(datas)
    for cut in range(len(datas[0]) + len(datas[1]), len(whole) + 1):
        folder = tmp_path / str(cut)
        (folder / "flash").mkdir(parents=True)
        (folder / "flash" / "00000003.seg").write_bytes(whole[:cut])
        spool = spool_in(folder)
        expected = 3 if cut == len(whole) else 2
        assert sorted(kept(spool)) == list(range(expected))
        torn = cut - sum(map(len, datas[:expected]))
        assert spool.dropped == ({"torn_bytes": torn} if torn else {})
        assert spool_in(folder).dropped == spool.dropped  # counted once, said while the machine runs


def test_a_half_made_rewrite_is_forgotten(tmp_path):
    spool = spool_in(tmp_path)
    spool.add(record(1))
    (tmp_path / "ram" / "00000000.seg.new").write_bytes(b"half")
    assert sorted(kept(spool_in(tmp_path))) == [1]
    assert not list((tmp_path / "ram").glob("*.new"))


def test_a_move_that_was_cut_off_leaves_no_double(tmp_path):
    spool = spool_in(tmp_path)
    spool.add(record(1))
    copy = segments(tmp_path, "ram")[0].read_bytes()
    spool.flush()
    (tmp_path / "ram" / "00000009.seg").write_bytes(copy)
    again = spool_in(tmp_path)
    assert again.frames() == again.on_flash() == 1
    assert segments(tmp_path, "ram") == []


def test_frames_of_another_device_are_counted_and_left_out(tmp_path):
    spool_in(tmp_path).add(record(1, device="mx-002"))
    spool = spool_in(tmp_path)
    assert spool.frames() == 0
    assert spool.dropped == {"foreign": 1}


@QUIET
@given(st.lists(st.sampled_from(["add", "event", "done", "flush", "restart"]), max_size=60))
def test_what_was_added_and_not_settled_is_there_after_any_history(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("spool")
    spool = spool_in(folder)
    model: dict[int, bytes] = {}
    for seq, step in enumerate(steps):
        if step in {"add", "event"}:
            new = record(seq, "data" if step == "add" else "event", size=3000)
            spool.add(new)
            model[seq] = bytes(new.frame)
        elif step == "done" and model:
            settled = random.Random(seq).choice(sorted(model))  # noqa: S311 - test data
            entries = spool.of_incarnation(INCARNATION)
            assert entries is not None
            spool.done(entries[settled])
            del model[settled]
        elif step == "flush":
            spool.flush()
            assert spool.on_flash() == len(model)
        elif step == "restart":
            spool = spool_in(folder)
            for entry in spool.entries():  # what was settled in a file that lives on comes again: duplicates
                if entry.seq not in model:
                    spool.done(entry)
        assert kept(spool) == model
    assert spool.dropped == {}


# --- RAM first ---


def test_flash_is_not_touched_until_flush(tmp_path):
    files = FaultyFiles()
    spool = spool_in(tmp_path, files)
    for seq in range(50):
        spool.done(spool.add(record(seq)))
    spool.add(record(50))
    assert not [path for path in files.writes if "/flash/" in path]
    assert spool.flush()
    assert len([path for path in files.writes if "/flash/" in path]) == 1
    assert spool.on_flash() == 1
    assert segments(tmp_path, "ram") == []
    assert not spool.flush()


def test_settled_files_are_removed(tmp_path):
    spool = spool_in(tmp_path)
    entries = [spool.add(record(seq, size=5000)) for seq in range(10)]
    spool.flush()
    for entry in entries:
        spool.done(entry)
    assert segments(tmp_path, "flash") == segments(tmp_path, "ram") == []
    assert spool.size() == 0


def test_without_flash_a_flush_writes_nothing(tmp_path):
    spool = spool_in(tmp_path, flash=False)
    spool.add(record(1))
    assert not spool.flush()
    assert sorted(kept(spool)) == [1]


# --- limits ---


def test_a_full_spool_thins_the_oldest_data_and_keeps_every_event(tmp_path):
    limit = 10 * SEGMENT_BYTES
    spool = spool_in(tmp_path, limit=limit)
    for seq in range(1000):
        spool.add(record(seq, "event" if seq % 50 == 0 else "data", size=1000))
        assert spool.size() <= limit
    left = sorted(kept(spool))
    data = [seq for seq in left if seq % 50]
    assert [seq for seq in left if seq % 50 == 0] == list(range(0, 1000, 50))
    assert spool.dropped == {"data": 1000 - len(left)}
    assert data[-1] == 999
    assert min(data) < 500  # thinned, not cut off


def test_a_full_spool_on_flash_is_thinned_there(tmp_path):
    limit = 10 * SEGMENT_BYTES
    spool = spool_in(tmp_path, limit=limit)
    for seq in range(400):
        spool.add(record(seq, size=1000))
        spool.flush()
    assert sum(path.stat().st_size for path in segments(tmp_path, "flash")) <= limit
    again = spool_in(tmp_path, limit=limit)
    assert kept(again) == kept(spool)
    assert again.dropped == spool.dropped


def test_when_only_events_are_left_the_oldest_goes(tmp_path):
    spool = spool_in(tmp_path, limit=4 * SEGMENT_BYTES)
    for seq in range(100):
        spool.add(record(seq, "event", size=1000))
    left = sorted(kept(spool))
    assert left == list(range(left[0], 100))
    assert spool.dropped == {"event": left[0]}


def test_a_frame_larger_than_the_spool_is_dropped_and_counted(tmp_path):
    spool = spool_in(tmp_path, limit=1000)
    assert spool.add(record(1, size=2000)).gone
    assert spool.dropped == {"data": 1}


# --- a file system that refuses ---


@pytest.mark.parametrize("takes", [0, 1, 50])
def test_a_full_disk_is_counted_and_the_frame_held_in_memory(tmp_path, takes):
    files = FaultyFiles()
    spool = spool_in(tmp_path, files)
    spool.add(record(0))
    files.refused, files.takes = {"append"}, takes
    spool.add(record(1))
    spool.add(record(2))
    assert spool.troubles == 2
    files.refused = set()
    spool.add(record(3))
    assert sorted(kept(spool)) == [0, 1, 2, 3]
    assert spool.flush()
    assert sorted(kept(spool)) == [0, 1, 2, 3]
    assert spool.on_flash() == 4
    assert sorted(kept(spool_in(tmp_path))) == [0, 1, 2, 3]


def test_memory_is_bounded_and_gives_up_data_before_events(tmp_path):
    files = FaultyFiles()
    spool = spool_in(tmp_path, files)
    files.refused = {"append"}
    for seq in range(100):
        spool.add(record(seq, "event" if seq < 10 else "data", size=1000))
    assert spool.size() <= MEMORY_BYTES
    assert set(range(10)) <= set(kept(spool))
    assert spool.dropped == {"data": 100 - spool.frames()}


def test_a_read_only_flash_leaves_everything_in_ram(tmp_path):
    class ReadOnlyFlash(FaultyFiles):
        def append(self, path: str, data: bytes, *, sync: bool) -> None:
            self._check("flash" if "/flash/" in path else "")
            super().append(path, data, sync=sync)

    files = ReadOnlyFlash()
    spool = spool_in(tmp_path, files)
    files.refused = {"flash"}
    for seq in range(5):
        spool.add(record(seq))
        spool.flush()
    assert spool.on_flash() == 0
    assert spool.troubles == 5
    assert sorted(kept(spool)) == [0, 1, 2, 3, 4]


def test_folders_that_cannot_be_made_leave_memory(tmp_path):
    files = FaultyFiles()
    files.refused = {"make_folder"}
    spool = spool_in(tmp_path, files)
    spool.add(record(1))
    assert sorted(kept(spool)) == [1]
    assert spool.troubles == 5  # two folders, one frame, the account twice


def test_a_file_that_cannot_be_rewritten_or_removed_stops_counting(tmp_path):
    files = FaultyFiles()
    spool = spool_in(tmp_path, files, limit=4 * SEGMENT_BYTES)
    for seq in range(40):
        spool.add(record(seq, size=1000))
    files.refused = {"write_new", "remove"}
    for seq in range(40, 200):
        spool.add(record(seq, size=1000))
    assert spool.frames() > 0
    assert spool.troubles > 0
    assert 199 in kept(spool)
