"""Tables that were held: nothing pushes them out, and they are stored when their measurement is known."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry
from sqlalchemy.orm import Session

from agent.wire import fields as register
from collector import __main__ as command
from collector import build
from collector.errors import StoreUnavailableError
from collector.ingest import quarantine, tables
from collector.ingest.requeue import Requeue, inventory, waiting
from collector.metrics import Metrics
from collector.model import Reason
from collector.storage import migrate
from collector.storage.port import SeriesQuery, Written
from collector.storage.state import open_engine
from tests.ingest.world import SITE, START_MS, Sealer, World

LAVA = ["volcano", None, ["heat"], [[-10_000, 900.0], [0, 901.0]]]
KNOWN = ["system", None, ["load1"], [[0, 1.0]]]
STORED = ("stored", "")
RULE = register.Field("float", "Cel", 0, 2000, "heat of the lava")


@pytest.fixture
def learn(monkeypatch):
    """Make a measurement known, as a newer version would."""

    def do(name="volcano"):
        known = register.Measurement(None, "device", {"heat": RULE})
        monkeypatch.setitem(register.MEASUREMENTS, name, known)
        monkeypatch.setitem(tables._CHECKS, name, {"heat": tables._check_of(RULE)})

    return do


def requeue(world, measurement=None):
    return Requeue(world.engine, world.store, world.registry).run(measurement)


def heat(world, measurement="volcano"):
    query = SeriesQuery(SITE, measurement, ("heat",), 0, START_MS * 2)
    return [point for series in world.store.series(query) for point in series.points]


def test_what_is_still_unknown_stays(world, device):
    world.take(device.data(0, tables=[LAVA, KNOWN]))
    done = requeue(world)
    assert (dict(done.stored), dict(done.waiting)) == ({}, {"volcano": 1})
    assert len(world.quarantined()) == 1


def test_it_is_stored_at_its_true_time_under_its_site(world, device, learn):
    device.clock_ms = None  # its time rests on the anchor of an earlier frame
    world.clock.step(400)
    world.take(device.seal("birth", seq=0))
    world.clock.step(500_000)
    world.take(device.data(1, START_MS + 60_000, tables=[LAVA, KNOWN]), live=False)
    learn()
    assert requeue(world).stored == {"volcano": 1}
    assert heat(world) == [(START_MS + 400 + 50_000, 900.0), (START_MS + 400 + 60_000, 901.0)]
    assert {row.fields.get("time_quality") for row in world.store.latest()} == {"arrival"}
    assert world.quarantined() == []
    assert requeue(world).stored == {}


def test_one_measurement_at_a_time(world, device, learn):
    other = ["geyser", None, ["heat"], [[0, 90.0]]]
    world.take(device.data(0, tables=[LAVA, other]), device.data(1, tables=[other]))
    learn()
    learn("geyser")
    done = requeue(world, "geyser")
    assert (dict(done.stored), dict(done.waiting)) == ({"geyser": 2}, {"volcano": 1})
    assert [row.detail for row in world.quarantined()] == ["volcano"]
    assert (heat(world), len(heat(world, "geyser"))) == ([], 1)
    assert requeue(world).stored == {"volcano": 1}


def test_an_interrupted_run_writes_the_same_points_again(world, device, learn, monkeypatch):
    world.take(device.data(0, tables=[LAVA]))
    learn()
    write = world.store.write

    def dies(frames):
        write(frames)
        raise StoreUnavailableError("gone")

    monkeypatch.setattr(world.store, "write", dies)
    with pytest.raises(StoreUnavailableError):
        requeue(world)
    monkeypatch.setattr(world.store, "write", write)
    assert requeue(world).stored == {"volcano": 1}
    assert len(heat(world)) == 2


def test_what_the_store_refuses_becomes_evidence(world, device, learn, monkeypatch):
    world.take(device.data(0, tables=[LAVA]))
    learn()
    monkeypatch.setattr(world.store, "write", lambda _: [Written(Reason.TYPE_CONFLICT, "x")])
    assert requeue(world).refused == {"type_conflict": 1}
    assert [(row.reason, row.held) for row in world.quarantined()] == [("type_conflict", False)]


def test_more_than_one_transaction(world, device, learn, monkeypatch):
    monkeypatch.setattr("collector.ingest.requeue._CHUNK", 3)
    for first in range(0, 10, 5):
        rows = [[seq, float(seq)] for seq in [0]]
        world.take(*[
            device.data(seq, START_MS + seq, tables=[["volcano", None, ["heat"], rows]])
            for seq in range(first, first + 5)
        ])  # fmt: skip
    learn()
    assert requeue(world).stored == {"volcano": 10}
    assert len(heat(world)) == 10


# --- held rows are not evictable ----------------------------------------------------------------------


def test_rubbish_pushes_out_no_held_row(world, device):
    world.take(device.data(0, tables=[LAVA]))
    topic, message = device.data(1)
    forged = message[:-1] + bytes([message[-1] ^ 1])
    for _ in range(8):
        world.clock.step(100_000)
        world.take(*[(topic, forged)] * 60)
    kept = world.quarantined()
    assert [row.detail for row in kept if row.held] == ["volcano"]
    assert len(kept) <= 21


def test_one_batch_of_one_device_leaves_a_sample(world, device):
    topic, message = device.data(0)
    world.take(*[(topic, message[:-1] + bytes([message[-1] ^ 1]))] * 150)
    assert len(world.quarantined()) == quarantine.PER_BATCH
    counted = [s for m in world.metrics.frames.collect() for s in m.samples if s.name.endswith("_total")]
    assert [s.value for s in counted if s.labels["reason"] == "bad_signature"] == [150]


def test_one_device_has_a_share_of_the_ring(tmp_path, monkeypatch):
    monkeypatch.setattr(quarantine, "_LEAST", 3)
    noisy, quiet = Sealer("r1"), Sealer("r2", incarnation=b"inc-0002")
    world = World(tmp_path, [noisy, quiet])
    for device in (quiet, noisy, noisy, noisy):
        topic, message = device.data(0)
        world.take(*[(topic, message[:-1] + bytes([message[-1] ^ 1]))] * 2)
    assert [row.device_id for row in world.quarantined()] == ["r2", "r2", "r1", "r1", "r1"]
    world.close()


@pytest.mark.parametrize(("limit", "value"), [("HELD_PER_DEVICE", 2), ("HELD_BYTES_PER_DEVICE", 600)])
def test_held_rows_are_limited_per_device(tmp_path, monkeypatch, limit, value):
    monkeypatch.setattr(quarantine, limit, value)
    greedy, other = Sealer("r1"), Sealer("r2", incarnation=b"inc-0002")
    world = World(tmp_path, [greedy, other])
    frames = [greedy.data(seq, tables=[LAVA, KNOWN]) for seq in range(9)]
    assert world.take(*frames, other.data(0, tables=[LAVA])) == [STORED] * 10
    held = [row.device_id for row in world.quarantined() if row.held]
    assert 1 <= held.count("r1") <= 3
    assert held.count("r2") == 1
    problems = [s for m in world.metrics.log_events.collect() for s in m.samples]
    assert any(s.labels.get("reason") == "held_full" and s.value for s in problems)
    world.close()


# --- the commands -------------------------------------------------------------------------------------


def run(world, *words):
    path = world.config.base / "collector.toml"
    path.write_text(
        "[state]\nurl = 'sqlite:///cli.db'\n[store]\nkind = 'embedded'\n"
        "[store.embedded]\npath = 'readings.db'\n[registry]\nenrolments_dir = 'none'\n"
    )
    return CliRunner().invoke(command.cli, [*words, "--config", str(path)], standalone_mode=False)


@pytest.fixture
def cli_world(tmp_path, device, monkeypatch):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "metrics"))
    monkeypatch.setattr("collector.log.configure", lambda _: None)
    monkeypatch.setattr("collector.metrics.prepare", lambda _: None)
    monkeypatch.setattr(build, "Metrics", lambda: Metrics(CollectorRegistry()))
    made = World(tmp_path, [])
    made.engine.dispose()
    made.engine = open_engine(f"sqlite:///{tmp_path / 'cli.db'}")
    migrate.upgrade(made.engine)
    made.enrol(device)
    made.restart()
    yield made
    made.close()


def test_the_commands(cli_world, device, learn):
    assert run(cli_world, "quarantine").stdout == "the quarantine is empty\n"
    assert run(cli_world, "requeue").stdout == "nothing is held\n"
    topic, message = device.data(0)
    cli_world.take((topic, message[:-1] + bytes([message[-1] ^ 1])), device.data(1, tables=[LAVA]))
    listed = run(cli_world, "quarantine").stdout
    assert "       1 bad_signature: 1 devices" in listed
    assert "       1 unknown_measurement (held): 1 devices" in listed
    assert "       1 messages wait for volcano" in listed
    assert run(cli_world, "requeue").stdout == "still held: 1 messages with volcano\n"
    wrong = run(cli_world, "requeue", "--measurement", "volcano")
    assert "not a measurement" in str(wrong.exception)
    learn()
    assert run(cli_world, "requeue", "--measurement", "volcano").stdout == "stored: 1 tables of volcano\n"
    assert heat(cli_world)  # as a mean of 5 min: that day is older than the raw retention by now
    with Session(cli_world.engine) as session:
        assert [heap.reason for heap in inventory(session)] == ["bad_signature"]
        assert waiting(session) == {}
