"""Every reason, by a frame that is wrong in exactly one way."""

from __future__ import annotations

import pytest

from agent.wire import cbor, topics
from collector.model import Point, Reason
from tests.ingest.world import SHARD, START_MS, Sealer

STORED = ("stored", "")
INVALID = "invalid"
REFUSED = "refused"


def change(message: bytes, at: int) -> bytes:
    return message[:at] + bytes([message[at] ^ 1]) + message[at + 1 :]


def test_a_right_frame_is_stored(world, device):
    assert world.take(device.data(0)) == [STORED]
    assert world.points() == [(START_MS - 10_000, 127.1), (START_MS, 3.0)]


def test_bad_topic(world, device):
    _, message = device.data(0)
    assert world.take((f"vigia/v1/{SHARD}/R1/data", message)) == [(INVALID, Reason.BAD_TOPIC)]
    other = topics.SHARDS[(topics.SHARDS.index(SHARD) + 1) % 16]
    assert world.take((f"vigia/v1/{other}/r1/data", message)) == [(INVALID, Reason.BAD_TOPIC)]


def test_oversized(world, device):
    topic, message = device.data(0)
    assert world.take((topic, message + bytes(65_537 - len(message)))) == [(INVALID, Reason.OVERSIZED)]


@pytest.mark.parametrize("at", [0, 1, 3, -66, -65])
def test_malformed_envelope(world, device, at):
    topic, message = device.data(0)
    position = at % len(message)
    assert world.take((topic, change(message, position))) == [(INVALID, Reason.MALFORMED)]


def test_empty(world, device):
    assert world.take((device.topic("data"), b"")) == [(INVALID, Reason.MALFORMED)]


def test_malformed_payload(world, device):
    topic = device.topic("data")
    payload = device.payload("data", START_MS, seq=0)
    hostile = [payload + b"\x00", b"\xbf" + payload[1:] + b"\xff", b"\xc1" + payload, payload[:-1], b""]
    for wrong in hostile:
        assert world.take((topic, device.sign(topic, wrong))) == [(INVALID, Reason.MALFORMED)]


def test_unknown_key(world):
    stranger = Sealer("r1")
    assert world.take(stranger.data(0)) == [(INVALID, Reason.UNKNOWN_KEY)]
    world.enrol(stranger)
    world.clock.step(10_000)
    assert world.take(stranger.data(0)) == [STORED]


def test_revoked_key(world, device):
    stolen = Sealer("r1")
    world.enrol(stolen, revoked_ms=START_MS)
    world.clock.step(10_000)
    assert world.take(stolen.data(0)) == [(INVALID, Reason.REVOKED_KEY)]


def test_wrong_device_on_the_topic(world, device):
    other = Sealer("r2")
    world.enrol(other)
    world.clock.step(10_000)
    topic = other.topic("data")
    message = device.sign(topic, device.payload("data", START_MS, seq=0))
    assert world.take((topic, message)) == [(INVALID, Reason.WRONG_DEVICE)]


def test_wrong_device_in_the_payload(world, device):
    topic = device.topic("data")
    message = device.sign(topic, device.payload("data", START_MS, seq=0, device="r9"))
    assert world.take((topic, message)) == [(INVALID, Reason.WRONG_DEVICE)]


def test_bad_signature(world, device):
    topic, message = device.data(0)
    assert world.take((topic, change(message, len(message) - 1))) == [(INVALID, Reason.BAD_SIGNATURE)]
    moved = device.topic("event")
    assert world.take((moved, message)) == [(INVALID, Reason.BAD_SIGNATURE)]
    forged = Sealer("r1").sign(topic, device.payload("data", START_MS, seq=0), kid=device.kid)
    assert world.take((topic, forged)) == [(INVALID, Reason.BAD_SIGNATURE)]


def test_bad_payload(world, device):
    topic = device.topic("data")
    value = cbor.decode(device.payload("data", START_MS, seq=0))
    message = device.sign(topic, cbor.encode({**value, 6: -1}))
    assert world.take((topic, message)) == [(INVALID, Reason.BAD_PAYLOAD)]


def test_wrong_kind(world, device):
    topic = device.topic("data")
    value = cbor.decode(device.payload("data", START_MS, seq=0))
    message = device.sign(topic, cbor.encode({**value, 11: 1}))
    assert world.take((topic, message)) == [(INVALID, Reason.WRONG_KIND)]


def test_no_assignment(world):
    homeless = Sealer("r7")
    world.enrol(homeless)
    with world.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE assignment SET from_ms = ? WHERE device_id = 'r7'", (START_MS + 1,)
        )
    world.clock.step(10_000)
    assert world.take(homeless.data(0)) == [(REFUSED, Reason.NO_ASSIGNMENT)]


def test_seq_reused(world, device):
    assert world.take(device.data(0)) == [STORED]
    assert world.take(device.data(0, tables=[["system", None, ["load1"], [[0, 1.0]]]])) == [
        (REFUSED, Reason.SEQ_REUSED)
    ]


def test_too_old_to_judge(world, device, monkeypatch):
    monkeypatch.setattr("collector.ingest.ledger.MAX_INTERVALS", 256)
    for low in range(1, 600, 200):
        world.clock.step(100_000)
        world.take(*[device.data(seq, tables=None) for seq in range(low, low + 200, 2)])
    floor = world.incarnation(device).floor
    assert floor > 0
    world.clock.step(100_000)
    assert world.take(device.data(0)) == [(REFUSED, Reason.TOO_OLD_TO_JUDGE)]
    row = world.incarnation(device)
    assert row.stored_below + sum(hi - lo + 1 for lo, hi in row.stored) == 300


def test_future(world, device):
    assert world.take(device.data(5)) == [STORED]
    device.clock_ms = 3_600_000
    assert world.take(device.data(1)) == [(REFUSED, Reason.FUTURE)]


def test_beyond_retention(world, device):
    assert world.take(device.data(5)) == [STORED]
    old = START_MS - 2000 * 86_400_000
    device.started_ms = old
    assert world.take(device.data(1, old)) == [(REFUSED, Reason.BEYOND_RETENTION)]


def test_type_conflict(world, device):
    tags = (("device", "r0"), ("site", "other"))
    world.store.write([[Point("upsd", tags, (("input_voltage", "text"),), START_MS)]])
    assert world.take(device.data(0), device.data(1, tables=None)) == [
        (REFUSED, Reason.TYPE_CONFLICT),
        STORED,
    ]


def test_invalid_frames_are_acked_to_the_broker_only_and_kept(world, device):
    topic, message = device.data(0)
    world.take((topic, change(message, len(message) - 1)))
    assert len(world.post.acked) == 1
    assert world.post.sent == []
    [row] = world.quarantined()
    assert (row.reason, row.device_id, row.topic, row.held) == (Reason.BAD_SIGNATURE, "r1", topic, False)


def test_the_quarantine_is_bounded(world, device):
    topic, message = device.data(0)
    for _ in range(5):
        world.take(*[(topic, change(message, len(message) - 1))] * 10)
    assert len(world.quarantined()) == 20


# --- of a table or field: the rest is stored ---------------------------------------------------------


def tables_set_aside(world):
    families = [metric for metric in world.metrics.tables.collect() for metric in metric.samples]
    return {sample.labels["reason"]: sample.value for sample in families if sample.name.endswith("_total")}


def store_table(world, device, *tables):
    assert world.take(device.data(0, tables=list(tables))) == [STORED]
    return {row.measurement: row.fields for row in world.store.latest()}


def test_unknown_measurement_is_held(world, device):
    known = ["system", None, ["load1"], [[0, 1.0]]]
    assert store_table(world, device, ["volcano", None, ["lava"], [[0, 1.0]]], known) == {
        "system": {"load1": 1.0}
    }
    assert [(row.reason, row.held) for row in world.quarantined()] == [(Reason.UNKNOWN_MEASUREMENT, True)]


def test_the_centres_own_measurements_are_not_a_devices(world, device):
    assert store_table(world, device, ["site_state", None, ["dark"], [[0, 1]]]) == {}


def test_unknown_fields_are_numbers_and_few(world, device):
    names = [f"new{n}" for n in range(20)]
    found = store_table(world, device, ["system", None, names, [[0, *range(20)]]])
    assert found == {"system": {f"new{n}": float(n) for n in range(16)}}
    assert tables_set_aside(world) == {Reason.UNKNOWN_FIELD: 4}


def test_reserved_names_are_no_fields(world, device):
    table = [
        "net",
        "eth0",
        ["time", "site", "device", "time_quality", "interface", "mtu"],
        [[0, 1, 2, 3, 4, 5, 6]],
    ]
    assert store_table(world, device, table) == {"net": {"mtu": 6.0}}


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("ob", 2, Reason.OUT_OF_RANGE),
        ("input_voltage", -1.0, Reason.OUT_OF_RANGE),
        ("ob", 1.0, Reason.WRONG_TYPE),
        ("ob", True, Reason.WRONG_TYPE),
        ("input_voltage", "127", Reason.WRONG_TYPE),
        ("last_transfer", 3, Reason.WRONG_TYPE),
        ("last_transfer", "a\nb", Reason.WRONG_TYPE),
        ("new", "text", Reason.WRONG_TYPE),
    ],
)
def test_a_wrong_value_is_left_out_alone(world, device, field, value, reason):
    assert store_table(world, device, ["upsd", "apc", [field, "rb"], [[0, value, 1]]]) == {"upsd": {"rb": 1}}
    assert tables_set_aside(world) == {reason: 1}


def test_an_integer_is_a_float_where_floats_are_due(world, device):
    assert store_table(world, device, ["upsd", "apc", ["input_voltage"], [[0, 127]]]) == {
        "upsd": {"input_voltage": 127.0}
    }


def test_too_many_instances(world, device):
    tables = [["disk", f"/d{n}", ["total"], [[0, 1]]] for n in range(66)]
    assert world.take(device.data(0, tables=tables)) == [STORED]
    assert len(world.store.latest()) == 64
    assert tables_set_aside(world) == {Reason.TOO_MANY_INSTANCES: 2}


def test_an_instance_where_none_is_due(world, device):
    assert store_table(world, device, ["system", "x", ["load1"], [[0, 1.0]]]) == {}
    assert tables_set_aside(world) == {Reason.WRONG_TYPE: 1}
