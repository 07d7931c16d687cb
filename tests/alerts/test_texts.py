"""Words: every code in both languages, and a message as a crew reads it."""

from __future__ import annotations

import ast
import string
from pathlib import Path
from types import SimpleNamespace

import pytest

import collector.rules
from collector.alerts import phrases_en, phrases_es, texts
from collector.model import Cause
from collector.rules import power, verdict
from collector.rules.catalogue import CONDITIONS
from tests.alerts.bench import T0

BOTH = (phrases_es, phrases_en)
TABLES = ("CONDITIONS", "CAUSES", "FACTS", "REASONS", "ADVICE", "OUTAGE_ADVICE", "KINDS", "WORDS", "UNITS")
SITE = SimpleNamespace(name_es="Biblioteca Las Águilas", name_en="Las Águilas Library", address="Calle 1")


def incident(**more):
    values = {
        "id": 7,
        "condition": "outage",
        "subject": "",
        "cause": "mains-site",
        "confidence": 0.914,
        "final": False,
        "found_on_return": False,
        "facts": [{"code": "supply_lost_before", "params": {"ups": "u1", "age_s": 65}}],
        "started_ms": T0,
        "cleared_ms": None,
    }
    return SimpleNamespace(**values | more)


def codes_in_rules() -> set[str]:
    """First arguments of Fact(...) anywhere in the rules."""
    found = set()
    for path in Path(collector.rules.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Fact" and node.args:
                names = [leaf.value for leaf in ast.walk(node.args[0]) if isinstance(leaf, ast.Constant)]
                found |= {name for name in names if isinstance(name, str)}
    return found


def test_every_fact_of_the_rules_has_words():
    used = (
        codes_in_rules()
        | {"last_seen_on_battery", "last_seen_on_line", "story_mains_good"}
        | set(verdict.CLUES)
    )
    for phrases in BOTH:
        assert used <= set(phrases.FACTS), used - set(phrases.FACTS)


def test_every_condition_cause_and_reason_has_words():
    for phrases in BOTH:
        assert set(phrases.CONDITIONS) == set(CONDITIONS) == set(phrases.ADVICE)
        assert set(phrases.CAUSES) == {cause.value for cause in Cause} == set(phrases.OUTAGE_ADVICE)
        assert set(power.CONTACT) | {"reader", "unknown"} == set(phrases.REASONS)


@pytest.mark.parametrize("table", TABLES)
def test_both_languages_say_the_same_things(table):
    spanish, english = (getattr(phrases, table) for phrases in BOTH)
    assert set(spanish) == set(english)
    for code in spanish:
        assert fields(spanish[code]) == fields(english[code]), code


def fields(phrase: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(phrase) if name}


def test_a_message_as_it_is_read():
    title, body = texts.message("alert", incident(), SITE, "es", "https://vigia.example/")
    assert title == "Aviso #7 Biblioteca Las Águilas: Sitio sin comunicación (falta de luz en el inmueble)"
    assert body == (
        "Sitio sin comunicación.\n"
        "Causa: falta de luz en el inmueble [mains-site], provisional, certeza 91 %.\n\n"
        "Desde: 25 de feb de 2026, 00:13 h (hora de la Ciudad de México)\n\n"
        "Lo que se sabe:\n"
        "- Antes de callar, el UPS u1 ya no tenía voltaje de entrada (65 s antes).\n\n"
        "Qué hacer: Confirme por teléfono si hay luz. Si falta solo ahí, revise interruptor general y "
        "pastillas. Lleve multímetro, lámpara y guantes dieléctricos.\n"
        "Dirección: Calle 1\n\n"
        "Ver: https://vigia.example/incidents/7"
    )


def test_a_recovery_says_how_long_and_sends_nobody():
    ended = incident(cleared_ms=T0 + 7_500_000, final=True)
    title, body = texts.message("recovery", ended, SITE, "en")
    assert title.startswith("Recovered #7 Las Águilas Library")
    assert "Lasted: 2 h 5 min" in body
    assert "final" in body
    assert "multimeter" not in body


@pytest.mark.parametrize("lang", ["es", "en"])
def test_what_is_not_known_is_shown_as_it_is(lang):
    assert texts.fact_text("moon", {"phase": 1}, lang) == "moon (phase=1)"
    assert texts.fact_text("battery_charge", {}, lang) == "battery_charge"
    assert "moon" in texts.title(incident(condition="moon", cause="moon"), SITE, lang)
    assert "None" not in "".join(texts.message("update", incident(cause=None, confidence=None), SITE, lang))


def test_parameters_become_words():
    assert "8 %" in texts.fact_text("input_measured", {"volts": 10.0, "pu": 0.08}, "es")
    assert "viejos" in texts.fact_text("contact_lost_why", {"why": "data_stale"}, "es")
    spans = [texts.duration(seconds, "es") for seconds in (-3, 0, 119, 120, 7199, 7200, 7260, 200_000)]
    assert spans == ["0 s", "0 s", "119 s", "2 min", "119 min", "2 h", "2 h 1 min", "2 d"]
