"""The published examples through the centre's own stages: verify and admit, then the whole pipeline."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.orm import Session

from agent.wire import topics
from agent.wire.errors import WireError
from collector import registry
from collector.config import RegistryConfig
from collector.ingest.batch import Batch
from collector.storage.state import Key
from tests.ingest.world import SITE, World, outcome
from tests.vectors import __main__ as script
from tests.vectors import make_wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from collector.ingest.batch import Item
    from collector.model import Received

FOLDER = script.HERE / "wire"
BEFORE_STATE = ("verify", "admit")


def load(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


FRAMES, LIMITS, HISTORIES, EDGES = (
    load(f"{name}.json") for name in ("frames", "limits", "histories", "signatures")
)
SINGLE = [*FRAMES["frames"], *[each for each in LIMITS["messages"] if not each["topic"].endswith("/ack")]]


@dataclass
class Enrolled:
    """One key of the examples, as the world enrols it."""

    device: str
    kid: bytes
    spki: bytes


def world_of(folder: Path, keys: list[dict[str, Any]], device: str = "") -> World:
    world = World(folder, [])
    for key in keys:
        enrolled = Enrolled(key.get("device", device), bytes.fromhex(key["kid"]), bytes.fromhex(key["spki"]))
        world.enrol(enrolled, from_ms=key.get("from_ms", 0))  # type: ignore[arg-type]  # all that it looks at
    world.restart()
    return world


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = world_of(tmp_path_factory.mktemp("single"), FRAMES["keys"])
    yield world
    world.close()


@pytest.fixture(scope="module")
def edges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = world_of(tmp_path_factory.mktemp("edges"), EDGES["keys"], EDGES["device"])
    yield world
    world.close()


def message(each: dict[str, Any]) -> bytes:
    whole = bytes.fromhex(each["message"])
    return whole + bytes(each.get("zeros", 0)) + bytes.fromhex(each.get("tail", ""))


def received(world: World, topic: str, data: bytes) -> Received:
    """As the worker of the topic's shard receives it."""
    try:
        shard = topics.parse(topic)[0]
    except WireError:
        shard = make_wire.SHARD
    return world.received((topic, data), shard=shard)


def judged(world: World, topic: str, data: bytes) -> Item:
    """What the stages make of one message that look at nothing but the message."""
    batch = Batch.of([received(world, topic, data)])
    for stage in world.stages:
        if stage.name == "receive":
            break
        stage(batch)
    return batch.items[0]


def reason(item: Item) -> str:
    if item.verdict is None:
        assert item.frame is not None
        return "valid"
    assert item.verdict.outcome == "invalid"
    return str(item.verdict.reason)


@pytest.mark.parametrize("each", SINGLE, ids=lambda each: each["name"])
def test_verify_and_admit_give_the_published_reason(single: World, each: dict[str, Any]) -> None:
    item = judged(single, each["topic"], message(each))
    assert reason(item) == each["expect"]
    if item.frame is not None and "value" in each:
        value = each["value"]
        found = [[t.measurement, t.instance, list(t.fields)] for t in item.frame.tables]
        held = [[t.measurement, t.instance, list(t.fields)] for t, _ in item.held]
        assert [[m, i, f] for m, i, f, _ in value["tables"]] == found + held
        for name in ("device", "boot", "seq", "uptime_ms", "wall_ms", "session", "dropped", "stop"):
            assert getattr(item.frame, name) == value[name], name
        assert (item.frame.incarnation, item.frame.kernel_boot) == (
            value["incarnation"],
            value["kernel_boot"],
        )


@pytest.mark.parametrize("each", EDGES["frames"], ids=lambda each: each["name"])
def test_signatures_at_the_edges(edges: World, each: dict[str, Any]) -> None:
    assert reason(judged(edges, EDGES["topic"], message(each))) == each["expect"]


@pytest.mark.parametrize("history", HISTORIES["centre"], ids=lambda each: each["name"])
def test_histories(tmp_path: Path, history: dict[str, Any]) -> None:
    world = world_of(tmp_path, HISTORIES["keys"])
    world.clock.now = HISTORIES["now_ms"]
    for step in history["steps"]:
        before = problems(world)
        batch = Batch.of([received(world, step["topic"], message(step))])
        assert world.pipeline.run(batch, threading.Event())
        assert outcome(batch.items[0]) == (step["outcome"], step["reason"])
        for name, times in step["problems"].items():
            assert problems(world).get(name, 0) - before.get(name, 0) == times
    world.close()


def problems(world: World) -> dict[str, float]:
    samples = [sample for metric in world.metrics.tables.collect() for sample in metric.samples]
    return {sample.labels["reason"]: sample.value for sample in samples if sample.name.endswith("_total")}


@pytest.mark.parametrize("each", EDGES["public_keys"], ids=lambda each: each["name"])
def test_public_keys_at_the_edges_in_an_enrolment(tmp_path: Path, each: dict[str, Any]) -> None:
    spki = bytes.fromhex(each["spki"])
    kid = hashlib.sha256(spki).digest()[:8].hex()
    key = {"kid": kid, "spki": base64.b64encode(spki).decode(), "from_ms": 0}
    enrolment = {"device": "r9", "site": SITE, "kind": "router", "issued_ms": 0, "keys": [key]}
    world = world_of(tmp_path, FRAMES["keys"])
    folder = tmp_path / "enrolments"
    folder.mkdir()
    (folder / "r9.json").write_text(json.dumps(enrolment))
    found = registry.Registry(
        world.engine, RegistryConfig(enrolments_dir=folder), world.reporter, world.clock
    )
    assert (found.key(kid) is not None) == each["taken"]
    assert (found.device("r9") is not None) == each["taken"]  # all of a file or nothing
    reasons = {s.labels["reason"] for m in world.metrics.log_events.collect() for s in m.samples}
    assert ("bad_enrolment" in reasons) == (not each["taken"])
    world.close()


@pytest.mark.parametrize(
    "each", [each for each in EDGES["public_keys"] if not each["taken"]], ids=lambda each: each["name"]
)
def test_a_key_in_the_state_that_is_none_is_unknown_and_harms_no_other(
    tmp_path: Path, each: dict[str, Any]
) -> None:
    world = world_of(tmp_path, FRAMES["keys"][1:])
    first = FRAMES["keys"][0]
    with Session(world.engine) as session, session.begin():
        device = FRAMES["keys"][1]["device"]
        session.add(Key(kid=first["kid"], device_id=device, spki=bytes.fromhex(each["spki"]), from_ms=0))
    world.restart()
    valid = next(one for one in FRAMES["frames"] if one["expect"] == "valid")
    assert reason(judged(world, valid["topic"], message(valid))) == "unknown_key"
    assert world.registry.key(FRAMES["keys"][1]["kid"]) is not None
    reasons = {s.labels["reason"] for m in world.metrics.log_events.collect() for s in m.samples}
    assert "bad_key" in reasons
    world.close()
