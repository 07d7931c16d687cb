from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import ReaderError
from agent.readers import nut


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('VAR sai ups.status "OL CHRG"', ["VAR", "sai", "ups.status", "OL CHRG"]),
        ('UPS sai ""', ["UPS", "sai", ""]),
        (r'A "q \" b \\ e"', ["A", r'q " b \ e']),
        ("  OK  ", ["OK"]),
        ("", []),
        ("a\\", ["a\\"]),
    ],
)
def test_words(line, expected):
    assert nut.words(line) == expected


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_characters="\r\n", codec="ascii"), min_size=1, max_size=40))
def test_a_quoted_word_is_read_back(text):
    assert nut.words("PASSWORD " + nut.quoted(text)) == ["PASSWORD", text]


def test_a_password_cannot_become_a_second_command():
    assert "\n" not in nut.quoted("a\nFSD sai\r")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_line_is_words_or_garbage(line):
    with suppress(ReaderError):
        assert all(isinstance(word, str) for word in nut.words(nut.text_of(line)))


def test_errors_keep_upsds_code():
    with pytest.raises(nut.RefusedError) as caught:
        nut.answer("ERR DATA-STALE")
    assert caught.value.reason == "DATA-STALE"
    with pytest.raises(nut.RefusedError) as caught:
        nut.answer("ERR")
    assert caught.value.reason == "UNKNOWN"


@pytest.mark.parametrize(
    "line", ["VAR otro ups.status OL", "VAR sai ups.status", "VAR sai ups.status OL OB", "OK"]
)
def test_another_answer_is_garbage(line):
    with pytest.raises(ReaderError, match="expected VAR sai"):
        nut.single(nut.answer(line), ["VAR", "sai", "ups.status"])


def test_names():
    assert all(nut.valid_name(name) for name in ("sai", "SAI-1", "a.b_c", "0" * 40))
    assert not any(nut.valid_name(name) for name in ("", "a b", "a\nb", "sai@host", "0" * 41, "señal", "a/b"))
