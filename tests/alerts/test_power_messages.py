"""Messages of danger, and of what was found when a device came back, as people get them."""

from __future__ import annotations

from collector.model import Change, Fact, Severity
from tests.alerts.bench import MINUTE

RAISED, CLEARED = Change.RAISED, Change.CLEARED
HIGH = (Fact("meter_measured", {"meter": "indoor-1", "volts": 152.4, "pu": 1.2}), Fact("check_neutral"))


def test_a_danger_goes_out_at_once_at_night_with_what_keeps_people_safe(bench):
    bench.say(RAISED, "voltage_hazard", severity=Severity.HAZARD, subject="a/indoor-1", facts=HIGH)
    bench.after(0)
    (title, body), *more = bench.crew.sent
    assert (more, title) == ([], "Aviso #1 Casa de Cultura San Ángel: PELIGRO: voltaje muy alto")
    assert "152.4 V (120 % del voltaje nominal)" in body
    assert "revise el neutro" in body
    assert "bajen el interruptor general" in body
    assert "911" in body
    assert "Cuidado: Perro bravo en el patio" in body


def test_what_can_wait_waits_for_working_hours(bench):
    bench.say(RAISED, "undervoltage", severity=Severity.WARNING, subject="a/u", facts=())
    bench.after(5 * MINUTE)
    assert (bench.crew.sent, bench.office.sent) == ([], [])  # a quarter past midnight
    bench.after(8 * 60 * MINUTE)
    assert [title for title, _ in bench.office.sent] == ["Alert #1 San Ángel Culture House: Low voltage"]


def test_what_was_found_on_return_says_so(bench):
    facts = (Fact("tamper_open", {"input": "box"}),)
    more = {"severity": Severity.CRITICAL, "subject": "a/box", "facts": facts, "found_on_return": True}
    bench.say(RAISED, "tamper", at_ms=bench.clock.ms - 60 * MINUTE, **more)
    bench.after(1000)
    assert bench.incident().found_on_return
    (_, body), *_ = bench.office.sent
    assert "Found when the device returned." in body
    assert "The contact “box” of the box was opened." in body
    assert bench.crew.sent == []  # the dispatcher's
