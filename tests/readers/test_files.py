from __future__ import annotations

from agent.readers.files import LIMIT, listing, read_int, read_text


def test_what_cannot_be_read_is_none(tmp_path):
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "word").write_text("up\n")
    assert read_text(f"{tmp_path}/absent") is None
    assert read_text(f"{tmp_path}") is None
    assert read_text(f"{tmp_path}/bytes") is None
    assert read_int(f"{tmp_path}/word") is None
    assert listing(f"{tmp_path}/absent") == []


def test_what_can_be_read(tmp_path):
    (tmp_path / "number").write_text(" -12\n")
    assert read_int(f"{tmp_path}/number") == -12
    assert read_text(f"{tmp_path}/number") == "-12"
    assert listing(f"{tmp_path}") == ["number"]


def test_a_file_without_end_is_cut(tmp_path):
    (tmp_path / "big").write_text("x" * (2 * LIMIT))
    assert read_text(f"{tmp_path}/big") == "x" * LIMIT
