"""Hostile input under an enrolled key: one incident per device, counted; under none: only evidence."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from agent.wire import fields as register
from collector.alerts import texts
from collector.config import AlertsConfig, ChannelConfig, Config
from collector.judge import Judge
from collector.model import Reason
from collector.rules import engine
from collector.storage.state import Base, DeviceName, Incident, IncidentChange, Outbox, RuleState, Site
from tests.ingest.world import SITE, START_MS, Sealer, World

DAY_MS = 86_400_000
OTHER = [["system", None, ["load1"], [[0, 1.0]]]]


@pytest.fixture
def judged(tmp_path, device):
    """A world with the real rules, and a channel for each route."""
    world = World(tmp_path, [device])
    routes = {name: ChannelConfig(routes=(name,)) for name in ("crew", "dispatcher", "maintenance")}
    config = Config(base=tmp_path, alerts=AlertsConfig(channels=routes))
    world.judge = Judge(world.registry, config, world.metrics)
    world.restart()
    world.judge._registry = world.registry
    yield world
    world.close()


def broken(message: bytes) -> bytes:
    return message[:-1] + bytes([message[-1] ^ 1])


def rows(world, table):
    with Session(world.engine) as session:
        return list(session.scalars(select(table)))


def security(world):
    return [row for row in rows(world, Incident) if row.condition == "security"]


def told(world, incident):
    return [row.channel for row in rows(world, Outbox) if row.incident_id == incident.id]


def counts(incident):
    return {fact["code"].removeprefix("security_"): fact["params"]["count"] for fact in incident.facts}


def forge(world, device, times=1):
    topic, message = device.data(0)
    world.take(*[(topic, broken(message))] * times)


def tick(world, ms):
    world.clock.step(ms)
    with Session(world.engine) as session, session.begin():
        world.judge.tick(session, [SITE], world.clock.now_ms())


def test_a_thousand_forged_frames_are_one_incident(judged, device):
    judged.take(device.seal("birth", seq=0))
    for seq in range(1, 51):
        judged.take(device.data(seq, judged.clock.now_ms(), tables=OTHER))
        forge(judged, device, 20)
        judged.clock.step(10_000)
    [incident] = security(judged)
    assert (incident.site_id, incident.subject, incident.severity) == (SITE, "r1", "warning")
    assert incident.started_ms == START_MS
    assert 500 <= counts(incident)["bad_signature"] <= 1000  # as of the last doubling
    assert sum(row.incident_id == incident.id for row in rows(judged, IncidentChange)) <= 8
    assert told(judged, incident) == ["dispatcher"]
    [state] = rows(judged, RuleState)
    assert state.status == "ok"  # nobody's forgery makes a facility look worse
    assert state.state["suspects"]["r1"]["counts"] == {"bad_signature": 1000}


def test_who_forges_does_not_speak_for_the_device(judged, device):
    judged.take(device.seal("birth", seq=0))
    for _ in range(30):
        forge(judged, device)
        judged.clock.step(10_000)
    tick(judged, 1)
    assert rows(judged, RuleState)[0].status == "dark"


def test_a_new_kind_of_doubt_is_told_at_once(judged, device):
    forge(judged, device)
    stolen, other = Sealer("r1"), Sealer("r2", incarnation=b"inc-0002")
    judged.enrol(stolen, revoked_ms=START_MS)
    judged.enrol(other)
    judged.clock.step(10_000)
    judged.take(stolen.data(0))
    topic = device.topic("data")
    judged.take((topic, other.sign(topic, other.payload("data", START_MS, seq=0))))
    judged.take(device.data(5), device.data(5, tables=OTHER))
    [incident] = security(judged)
    assert counts(incident) == {"bad_signature": 1, "revoked_key": 1, "wrong_device": 1, "seq_reused": 1}
    assert told(judged, incident) == ["dispatcher"]


def test_a_clone_is_an_incident(judged, device):
    other = device.restarted(b"inc-copy", boot=1, kernel_boot=b"kernel-boot-copy")
    for turn in range(20):
        unit = (device, other)[turn % 2]
        judged.take(unit.data(turn // 2, judged.clock.now_ms()))
        judged.clock.step(20_000)
    [incident] = security(judged)
    assert set(counts(incident)) == {"clone"}


def test_it_ends_after_a_quiet_day_and_comes_back(judged, device):
    judged.take(device.seal("birth", seq=0))
    forge(judged, device)
    tick(judged, DAY_MS - 1)
    assert [row.closed_ms for row in security(judged)] == [None]
    tick(judged, engine.LOOK_MS)
    assert [row.status for row in security(judged)] == ["closed"]
    assert rows(judged, RuleState)[0].state["suspects"] == {}
    judged.clock.step(3_600_000)
    forge(judged, device)
    assert [row.status for row in security(judged)] == ["closed", "open"]


def test_each_device_has_its_own(judged, device):
    others = [Sealer(f"r{n}", incarnation=b"inc-%04d" % n) for n in range(2, 5)]
    for other in others:
        judged.enrol(other)
    judged.clock.step(10_000)
    judged.registry.refresh()
    for _ in range(3):
        for unit in (device, *others):
            forge(judged, unit, 5)
    assert sorted(row.subject for row in security(judged)) == ["r1", "r2", "r3", "r4"]


def test_a_stranger_opens_no_incident(judged):
    names = ["r1", "r9", "not-enrolled"]
    for number in range(30):
        stranger = Sealer(names[number % 3])
        judged.take(stranger.data(number), stranger.data(number + 1))
        judged.clock.step(5_000)
    assert rows(judged, Incident) == []
    assert rows(judged, RuleState) == []
    assert {row.reason for row in judged.quarantined()} == {Reason.UNKNOWN_KEY}
    assert len(judged.quarantined()) <= 20


def test_a_device_of_no_facility_opens_no_incident(judged):
    homeless = Sealer("r7")
    judged.enrol(homeless)
    with judged.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE assignment SET to_ms = 1 WHERE device_id = 'r7'")
    judged.clock.step(10_000)
    forge(judged, homeless)
    assert rows(judged, Incident) == []


def test_rubbish_of_every_kind_leaves_bounded_rows(judged, device):
    topic, message = device.data(0)
    rubbish = [
        (topic, b""), (topic, b"\xff" * 3000), (topic, message[:50]), (topic, broken(message)),
        (topic, message * 200), (topic + "/x", message), (device.topic("event"), message),
        (topic, device.sign(topic, b"\x81" * 300)), (topic, device.sign(topic, b"\xa0")),
    ]  # fmt: skip
    before: dict[str, int] = {}
    for round_ in range(12):
        judged.take(*rubbish * 10)
        judged.clock.step(60_000)
        with Session(judged.engine) as session:
            sizes = {
                table.name: session.scalar(select(func.count()).select_from(table)) or 0
                for table in Base.metadata.sorted_tables
            }
        if round_ >= 8:
            grown = {name for name, size in sizes.items() if size > before[name]}
            assert grown <= {"incident_change"}  # one each time the count doubled
        before = sizes
    assert before["incarnation"] == before["device_state"] == 0
    assert len(security(judged)) == 1


@pytest.mark.parametrize("lang", ["es", "en"])
def test_it_reads_well(judged, device, lang):
    forge(judged, device, 3)
    [incident] = security(judged)
    with Session(judged.engine) as session:
        site = session.get_one(Site, SITE)
    title, body = texts.message("alert", incident, site, lang)
    assert {"es": "Identidad del equipo en duda", "en": "Identity of a device in doubt"}[lang] in title
    assert "3" in body
    assert "security" not in body


# --- limits of names ----------------------------------------------------------------------------------


def test_limits_of_names_survive_restarts(world, device):
    for start in range(40):
        fields = [f"new{start}x{n}" for n in range(5)]
        disks = [["disk", f"/d{start}x{n}", ["total"], [[0, 1]]] for n in range(5)]
        tables = [["system", None, fields, [[0, *range(5)]]], *disks]
        assert world.take(device.data(start, START_MS + start, tables=tables)) == [("stored", "")]
        world.restart()
    stored = world.store.latest()
    assert sum(row.measurement == "disk" for row in stored) == register.MAX_INSTANCES
    names = [row for row in rows(world, DeviceName) if row.measurement == "system"]
    assert len(names) == register.MAX_UNKNOWN_FIELDS
    assert world.take(device.data(99, tables=[["disk", "/d0x0", ["total"], [[0, 1]]]])) == [("stored", "")]


def test_names_of_a_batch_that_did_not_commit_are_not_lost(world, device, monkeypatch):
    monkeypatch.setattr("collector.pipeline.BACKOFF_S", (0.001, 0.002))
    observe, failures = world.judge.observe, [1, 1]

    def fails(*values):
        if failures:
            failures.pop()
            raise OperationalError("UPDATE", {}, Exception("database is locked"))
        return observe(*values)

    monkeypatch.setattr(world.judge, "observe", fails)
    world.take(device.data(0, tables=[["disk", "/d", ["total"], [[0, 1]]]]))
    assert [(row.kind, row.name) for row in rows(world, DeviceName)] == [("instance", "/d")]
