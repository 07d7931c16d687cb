"""Everything that the bench can say is there in both languages, with the same numbers in it."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import simulators.bench
from simulators.bench import controls, sentences
from simulators.bench.facility import FAULTS
from simulators.bench.seen import Row, Seen
from simulators.bench.sequence import SEQUENCE
from simulators.bench.steps import State
from simulators.bench.words import LANGUAGES, TABLES

FOLDER = Path(simulators.bench.__file__).parent
SEEN = Seen(
    0,
    rows={
        **{("wifi_ap", name): Row(0, {"up": 1}) for name in controls.RADIOS},
        ("tamper", "box"): Row(0, {"open": 0}),
    },
)
PHASES = [phase for step in SEQUENCE for phase in step.phases(SEEN)]


@pytest.mark.parametrize("table", TABLES)
def test_both_languages_say_the_same_with_the_same_numbers(table):
    def names(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for key, texts in TABLES[table].items():
        assert len(texts) == len(LANGUAGES), key
        assert all(texts), key
        assert names(texts[0]) == names(texts[1]), key


def test_every_step_phase_and_knob_has_its_words():
    assert {step.name for step in SEQUENCE} == set(TABLES["step"]) == set(TABLES["limit"])
    assert {phase.name for phase in PHASES} == set(TABLES["phase"]) == set(TABLES["short"])
    knobs = {name for names in controls.GROUPS.values() for name in names}
    assert knobs == {knob.name for knob in controls.KNOBS}
    assert all(sentences.knob(name, lang) for name in knobs for lang in LANGUAGES)
    assert set(FAULTS) == set(TABLES["fault"])
    assert set(controls.GROUPS) == set(TABLES["group"])
    assert {state.value for state in State} == set(TABLES["state"])


def test_whatever_a_person_may_have_to_do_is_said():
    by_hand = {*controls.OF_DEVICE, *controls.OF_UPS, *controls.OF_MAINS}
    wanted = {
        f"{'radio' if name.startswith('radio_') else name}={value}"
        for phase in PHASES
        for name, value in phase.do.items()
        if name in by_hand
    }
    assert wanted == set(TABLES["hand"])


def test_every_code_that_is_noted_has_its_sentence():
    source = "".join((FOLDER / name).read_text(encoding="utf-8") for name in ("checks.py", "runner.py"))
    codes = set(re.findall(r'Note\(f?"(\w+)"', source)) | {"limit", "wrong"}
    assert codes | {"meter_voltage", "meter_current"} == set(TABLES["note"])


def test_pages_use_no_word_that_is_not_there():
    page = (FOLDER / "templates/bench.html").read_text(encoding="utf-8")
    used = re.findall(r'say\(["\'](\w+)["\'], ["\'](\w+)["\']', page)
    assert used
    assert [(table, key) for table, key in used if key not in TABLES[table]] == []
    paper = (FOLDER / "templates/certificate.html").read_text(encoding="utf-8")
    assert set(re.findall(r'say\("(\w+)"', paper)) <= set(TABLES["paper"])
