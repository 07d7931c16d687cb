"""What every file system behind the spool does; the one that fails on purpose keeps the same promises."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from agent.ports import files as port
from agent.ports.files import Files
from tests.agent.unsafe_files import FLASH, CutError, UnsafeFiles

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=["real", "unsafe"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Files, str]:
    if request.param == "real":
        return Files(), str(tmp_path)
    return UnsafeFiles(random.Random(1)), FLASH  # noqa: S311 - test data


@pytest.mark.parametrize("sync", [False, True])
def test_what_is_written_is_there(place, sync):
    files, folder = place
    files.make_folder(folder)
    path = folder + "/00000000.seg"
    assert not files.exists(path)
    assert files.names(folder) == []
    files.append(path, b"one", sync=sync)
    files.append(path, b"two", sync=sync)
    assert (files.read(path), files.read(path, 2, 2), files.read(path, 4)) == (b"onetwo", b"et", b"wo")
    files.write_new(path, b"new", sync=sync)
    files.write_new(folder + "/other", b"", sync=sync)
    files.sync(path)
    assert files.read(path) == b"new"
    assert files.names(folder) == ["00000000.seg", "other"]
    assert files.exists(path)
    files.remove(path)
    assert files.names(folder) == ["other"]


def test_what_is_not_there_is_an_oserror(place):
    files, folder = place
    for call in (files.read, files.remove, files.sync):
        with pytest.raises(OSError, match="absent"):
            call(folder + "/absent")


def test_a_new_file_and_its_name_are_synced(tmp_path, monkeypatch):
    """fsync(2): the entry in the folder needs an fsync of the folder."""
    synced: list[str] = []
    monkeypatch.setattr(port, "fsync_folder", synced.append)
    path = str(tmp_path / "a")
    Files().append(path, b"1", sync=True)
    Files().append(path, b"2", sync=True)
    Files().append(str(tmp_path / "b"), b"1", sync=False)
    Files().make_folder(str(tmp_path / "c" / "d"))
    assert synced == [str(tmp_path), str(tmp_path), str(tmp_path / "c")]


def test_a_write_that_fails_leaves_no_half_file_behind(tmp_path):
    path = tmp_path / "a"
    Files().write_new(str(path), b"before", sync=True)

    class Full(Files):
        def _write(self, path: str, data: bytes, *, sync: bool) -> None:
            super()._write(path, data[:2], sync=sync)
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        Full().write_new(str(path), b"after", sync=True)
    assert [each.name for each in tmp_path.iterdir()] == ["a"]
    assert path.read_bytes() == b"before"


def test_a_real_full_disk_is_that_of_the_model(tmp_path):
    with pytest.raises(OSError, match="No space"):
        Files().append("/dev/full", b"x", sync=False)
    unsafe = UnsafeFiles(random.Random(1))  # noqa: S311 - test data
    unsafe.room[FLASH] = 0
    with pytest.raises(OSError, match="No space"):
        unsafe.append(FLASH + "/a", b"x", sync=False)


def test_the_model_loses_what_was_not_synced_and_keeps_what_was():
    kept = set()
    for seed in range(60):
        files = UnsafeFiles(random.Random(seed))  # noqa: S311 - test data
        files.append(FLASH + "/a", b"synced", sync=True)
        files.append(FLASH + "/a", b"-more", sync=False)
        files.append(FLASH + "/b", b"unsynced", sync=False)
        files.power_cut()
        assert files.read(FLASH + "/a")[:6] == b"synced"
        kept.add((len(files.read(FLASH + "/a")), files.exists(FLASH + "/b")))
    assert {exists for _, exists in kept} == {True, False}
    assert {length for length, _ in kept} == set(range(6, 12))


def test_the_model_cuts_where_it_is_told():
    files = UnsafeFiles(random.Random(1))  # noqa: S311 - test data
    files.cut_after = 0
    with pytest.raises(CutError):
        files.append(FLASH + "/a", b"x", sync=True)
    assert not files.exists(FLASH + "/a")
