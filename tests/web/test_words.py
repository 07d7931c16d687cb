"""Numbers, ages and codes in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flask import session as browser

from collector.model import Severity
from collector.web import actions, words
from collector.web.users import ROLES
from tests.web.conftest import NOW_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.web.conftest import Web


@pytest.fixture
def spanish(web: Web) -> Iterator[None]:
    with web.app.test_request_context("/"):
        yield


@pytest.fixture
def english(web: Web) -> Iterator[None]:
    with web.app.test_request_context("/"):
        browser["language"] = "en"
        yield


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (127.34, "V", "127.3 V"),
        (1.5, "V", "1.5 V"),
        (0.126, "A", "0.13 A"),
        (1234.5, "W", "1,234 W"),
        (60.0, "Hz", "60 Hz"),
        (48_213_442_117, "B", "48.2 GB"),
        (9, "B", "9 B"),
        (23.46, "ms", "23.5 ms"),
        (4200, "ms", "4 s"),
        (1430.0, "s", "23 min"),
        (21.5, "Cel", "21.5 °C"),
        (14, "count", "14"),
        (0.98, "/", "0.98"),
        (-61.0, "dBm", "-61 dBm"),
        (True, None, "sí"),
        ("input voltage out of range", "", "input voltage out of range"),
        (None, "V", "—"),
    ],
)
def test_numbers_with_units(spanish, value, unit, text):
    assert words.number(value, unit).replace("\N{NO-BREAK SPACE}", " ") == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "ahora"),
        (-5, "ahora"),
        (1, "hace 1 s"),
        (59, "hace 59 s"),
        (60, "hace 1 min"),
        (3599, "hace 59 min"),
        (3600, "hace 1 h"),
        (47 * 3600, "hace 47 h"),
        (48 * 3600, "hace 2 días"),
    ],
)
def test_ages_in_spanish(spanish, seconds, text):
    assert words.ago(NOW_MS - seconds * 1000).replace("\N{NO-BREAK SPACE}", " ") == text


def test_ages_in_english(english):
    assert words.ago(NOW_MS - 120_000) == "2 min. ago"
    assert words.duration(7_200_000) == "2 hr"


def test_times_are_local_and_name_another_year(spanish):
    assert words.moment(NOW_MS) == "2 mar 11:00"
    assert words.moment(NOW_MS - 365 * 86_400_000) == "2 mar 2025 11:00"


def test_what_feeds_a_device(spanish):
    feeds = ["mains", "ups:ups1", "poe:mercado-r1", None, "solar"]
    assert [words.feed(code) for code in feeds] == [
        "red eléctrica",
        "UPS ups1",
        "cable de red de mercado-r1",
        "no se sabe",
        "solar",
    ]


def test_telephone_numbers_can_be_tapped():
    made = words.phones("Vigilante <b>: 55 1234 5678, sala +52 (55) 8765-4321; extensión 123")
    assert '<a href="tel:5512345678">55 1234 5678</a>' in made
    assert "&lt;b&gt;" in made
    assert '">123' not in made


def test_every_code_has_a_word():
    assert set(words.SEVERITIES) == set(Severity)
    assert set(words.FOUND) == set(actions.CAUSE_CODES)
    assert set(words.ROLES) == set(ROLES)
    assert set(words.STATUSES) == set(words.STATUS_ORDER)


def test_an_unknown_code_is_shown_as_it_is(spanish):
    assert words.word("something_new", "change") == "something_new"
    assert words.word(None, "change") == "—"
