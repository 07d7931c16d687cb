"""Why did you say that? Every step of a verdict, fact by fact, as API and page tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from collector.alerts import lifecycle, texts
from collector.alerts.routes import Routing
from collector.config import AlertsConfig
from collector.model import Cause, Change, Fact, Severity, Transition
from collector.rules import verdict
from collector.storage.state import Incident
from tests.web.conftest import NOW_MS

if TYPE_CHECKING:
    from tests.web.conftest import Web

SITE = "centro-deportivo-plateros"
FALLS = Fact("device_not_carried", {"known": True})
BEFORE = (FALLS, Fact("silent_together", {"count": 2}))
AFTER = (FALLS, Fact("restarted_together", {"count": 2}))


def said(change: Change, at_ms: int, facts: tuple[Fact, ...], **more: Any) -> Transition:
    found = verdict.weigh(facts)
    return Transition(
        change, SITE, "outage", "", at_ms, Severity.CRITICAL, found.cause, found.confidence, facts, **more
    )


def written(web: Web, *steps: Transition) -> int:
    """Write down what the rules said; return the incident."""
    with Session(web.engine) as session, session.begin():
        for step in steps:
            lifecycle.apply(session, [step], step.at_ms, Routing.of(AlertsConfig()))
        return max(session.scalars(select(Incident.id).where(Incident.site_id == SITE)))


@pytest.fixture
def incident(web: Web) -> int:
    """An outage that was opened, revised when the devices told their story, and is over."""
    steps = (
        said(Change.RAISED, NOW_MS - 9000, BEFORE),
        said(Change.REVISED, NOW_MS - 5000, AFTER, final=True, reason="story_told"),
        said(Change.CLEARED, NOW_MS - 4000, AFTER, final=True, reason="speaks_again"),
    )
    return written(web, *steps)


def get(web: Web, path: str) -> Any:
    return web.client().get(f"/api/v1/incidents/{path}", headers=web.bearer("viewer")).json


def test_each_step_says_what_was_new_and_what_each_fact_weighed(web: Web, incident: int) -> None:
    body = get(web, f"{incident}/why?lang=en")
    opened, revised, cleared = body["steps"]
    assert [step["kind"] for step in body["steps"]] == ["opened", "revised", "cleared"]
    assert {fact["code"]: fact["change"] for fact in opened["facts"]} == dict.fromkeys(
        ("device_not_carried", "silent_together"), "new"
    )
    assert {fact["code"]: fact["change"] for fact in revised["facts"]} == {
        "device_not_carried": "same", "restarted_together": "new", "silent_together": "gone",
    }  # fmt: skip
    assert (revised["final"], revised["reason"]) == (True, "story_told")
    together = next(fact for fact in revised["facts"] if fact["code"] == "restarted_together")
    assert together["because"] == verdict.CLUES["restarted_together"].why
    weights = {entry["cause"]: entry["weight"] for entry in together["weights"]}
    assert weights == {
        cause.value: value for cause, value in verdict.CLUES["restarted_together"].weights.items()
    }
    # what one can add up by hand is what was said
    score = verdict.PRIOR[Cause.MAINS_SITE] + sum(
        entry["weight"]
        for fact in revised["facts"]
        if fact["change"] != "gone"
        for entry in fact["weights"]
        if entry["cause"] == "mains-site"
    )
    likeliest = revised["causes"][0]
    assert (likeliest["cause"], likeliest["score"]) == ("mains-site", pytest.approx(score, abs=0.01))
    assert likeliest["share"] == pytest.approx(revised["confidence"], abs=0.011)
    assert not any(step["table_changed"] for step in body["steps"])
    assert cleared["cause"] == body["cause"] == "mains-site"


def test_a_table_that_would_say_otherwise_today_is_named(
    web: Web, incident: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    flipped = verdict.Clue({Cause.DEVICE: +9.0}, "for this test")
    monkeypatch.setitem(verdict.CLUES, "restarted_together", flipped)
    steps = get(web, f"{incident}/why")["steps"]
    assert [step["table_changed"] for step in steps] == [False, True, True]


HELD = Fact("ups_held", {"device": "router"})
FAULTS = (Fact("supply_lost_before", {}), FALLS, HELD)


@pytest.fixture
def two_faults(web: Web) -> int:
    """An outage that began with a loss of supply; the way out made most of it, as the story told."""
    steps = (
        said(Change.RAISED, NOW_MS - 9000, FAULTS[:2]),
        said(Change.REVISED, NOW_MS - 5000, FAULTS, final=True, reason="story_told"),
    )
    return written(web, *steps)


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("es", "ya no cuenta: El UPS sostuvo a router y a su módem todo el tiempo"),
        ("en", "no longer counts: The UPS carried router and its modem all through"),
    ],
)
def test_a_fact_of_the_beginning_counts_until_another_fault_made_most_of_it(
    web: Web, two_faults: int, lang: str, words: str
) -> None:
    opened, revised = get(web, f"{two_faults}/why?lang={lang}")["steps"]
    assert {fact["no_longer_counts"] for fact in opened["facts"]} == {None}
    assert opened["causes"][0]["cause"] == "mains-site"
    lost, falls, held = revised["facts"]
    assert lost["no_longer_counts"] == texts.fact_text(HELD.code, HELD.params, lang)
    assert {entry["weight"] for fact in (lost, falls) for entry in fact["weights"]} == {0.0}
    assert held["no_longer_counts"] is None
    for one in revised["causes"]:  # what one can add up by hand is what was said
        weighed = [entry for fact in revised["facts"] for entry in fact["weights"]]
        added = sum(entry["weight"] for entry in weighed if entry["cause"] == one["cause"])
        assert one["score"] == pytest.approx(verdict.PRIOR[Cause(one["cause"])] + added, abs=0.01)
    assert (revised["causes"][0]["cause"], revised["table_changed"]) == (revised["cause"], False)
    client = web.client("vera")
    with client.session_transaction() as session:
        session["language"] = lang
    assert words in client.get(f"/incidents/{two_faults}/why").text


def test_an_incident_without_a_verdict_and_one_that_is_none(web: Web) -> None:
    body = get(web, "2/why")
    assert (body["cause"], body["steps"]) == (None, [])
    gone = web.client().get("/api/v1/incidents/999999/why", headers=web.bearer("viewer"))
    assert gone.status_code == 404


@pytest.mark.parametrize(("lang", "words"), [("es", "ya no es así"), ("en", "no longer so")])
def test_the_page_leads_there_and_tells_it(web: Web, incident: int, lang: str, words: str) -> None:
    client = web.client("vera")
    with client.session_transaction() as session:
        session["language"] = lang
    page = client.get(f"/incidents/{incident}").text
    assert f'href="/incidents/{incident}/why"' in page
    told = client.get(f"/incidents/{incident}/why").text
    assert words in told
    assert 'class="for"' in told
