"""The spool on both interpreters: a history of adding, settling, moving and restarting; torn tails."""

import os

from agent import segment
from agent.errors import StateError
from agent.log import Log
from agent.ports.files import Files
from agent.segment import Record
from agent.spool import Spool

INCARNATION = b"incarnat"
_made: list[str] = []


def folder() -> str:
    """Return a new folder below TMPDIR."""
    base = os.getenv("TMPDIR") or "/tmp"  # noqa: S108 - both runners set TMPDIR
    path = base + "/spool-" + "".join(["%02x" % b for b in os.urandom(6)])
    _made.append(path)
    return path


def record(seq: int, kind: str = "data", size: int = 400) -> Record:
    """Return a record whose frame tells its seq."""
    frame = bytes([seq & 0xFF]) * size
    return Record(kind, 1, INCARNATION, seq, "vigia/v1/a/mx-001/" + kind, frame)


def spool_in(path: str, limit: int = 1 << 19) -> Spool:
    """Open the spool in a folder, as a start of the agent does."""
    spool = Spool(Files(), (path + "/ram", path + "/flash"), limit, Log(_zero, len))
    spool.recover("mx-001")
    return spool


def _zero() -> int:
    return 0


def seqs(spool: Spool) -> list[int]:
    """Return the seqs that wait, after reading every frame."""
    for entry in spool.entries():
        assert spool.read(entry)[:1] == bytes([entry.seq & 0xFF])
    return [entry.seq for entry in spool.entries()]


def test_frames_survive_restarts_and_moves_to_flash() -> None:
    """What was added and not settled is there, wherever it lies."""
    path = folder()
    spool = spool_in(path)
    for seq in range(40):
        spool.add(record(seq))
    for entry in spool.entries()[:20]:
        spool.done(entry)
    assert spool_in(path).frames() >= 20
    assert spool.flush()
    spool.add(record(40))
    assert spool.on_flash() == 20
    again = spool_in(path)
    assert seqs(again) == list(range(20, 41))
    assert again.dropped == {}


def test_a_torn_tail_costs_the_tail_and_is_counted() -> None:
    """A write cut anywhere loses that write alone."""
    data = segment.encode(record(0)) + segment.encode(record(1))
    for cut in (len(data) - 1, len(data) - 200, len(data) // 2 + 3):
        path = folder()
        Files().make_folder(path + "/flash")
        Files().write_new(path + "/flash/00000000.seg", data[:cut], sync=True)
        spool = spool_in(path)
        assert seqs(spool) == [0]
        assert spool.dropped == {"torn_bytes": cut - len(data) // 2}


def test_over_the_limit_data_are_thinned_and_events_kept() -> None:
    """Events outlive the data around them, and the newest data are there."""
    spool = spool_in(folder(), 1 << 16)
    for seq in range(200):
        spool.add(record(seq, "event" if seq % 20 == 0 else "data", 1000))
    left = seqs(spool)
    assert [seq for seq in left if seq % 20 == 0] == list(range(0, 200, 20))
    assert left[-1] == 199
    assert spool.dropped == {"data": 200 - len(left)}
    assert spool.size() <= 1 << 16


def test_what_was_refused_is_counted_once_and_does_not_come_back() -> None:
    """The account goes on over restarts of the process."""
    path = folder()
    spool = spool_in(path)
    for seq in range(5):
        spool.add(record(seq))
    spool.lose(spool.entries()[2], "refused")
    for _ in range(2):
        spool = spool_in(path)
        assert seqs(spool) == [0, 1, 3, 4]
        assert spool.dropped == {"refused": 1}
        assert spool.continued


def test_a_frame_has_one_life() -> None:
    """An event that the table does not have raises and changes nothing."""
    spool = spool_in(folder())
    entry = spool.add(record(0))
    assert entry.state == "spooled"
    spool.done(entry)
    assert (entry.state, entry.gone) == ("stored", True)
    for event in ("sent", "puback", "lost", "stored", "dropped"):
        try:
            entry.fire(event)
        except StateError as error:
            assert error.reason == "illegal_event"
            continue
        raise AssertionError(event)
    assert entry.state == "stored"
