"""New, duplicate, current, history; what devices are told."""

from __future__ import annotations

from collector.ingest.order import pack_order
from collector.model import Readings
from tests.ingest.world import SAMPLE, START_MS, Sealer

STORED = ("stored", "")
DUPLICATE = ("duplicate", "")


def readings(world):
    return [o for _, o in world.judge.told if isinstance(o, Readings)]


def test_duplicates_within_and_across_batches(world, device):
    assert world.take(device.data(0), device.data(0)) == [STORED, DUPLICATE]
    world.clock.step(5000)
    assert world.take(device.data(0)) == [DUPLICATE]
    assert len(world.points()) == 2
    assert world.judge.names().count("Arrival") == 1
    assert [ack.stored for ack in world.acks(device)] == [[[0, 0]], [[0, 0]]]


def test_a_duplicate_of_a_refused_frame_is_told_as_refused(world, device):
    world.take(device.data(5))
    device.clock_ms = 3_600_000
    wrong = device.data(1)
    assert world.take(wrong)[0][0] == "refused"
    world.clock.step(5000)
    assert world.take(wrong) == [DUPLICATE]
    world.clock.step(5000)
    world.stages[-1].flush()
    assert world.incarnation(device).refused == [[1, 1, "future"]]
    for ack in world.acks(device)[1:]:
        assert (ack.stored, ack.refused) == ([], [[1, 1, "future"]])


def test_current_is_the_highest_however_late(world, device):
    world.take(device.data(5), device.data(3))
    world.take(device.data(4))
    world.take(device.data(6, START_MS - 600_000))
    assert [reading.current for reading in readings(world)] == [
        True,
        True,
        False,
        False,
        False,
        False,
        True,
        True,
    ]
    state = world.state(device)
    assert (state.seq, state.sample_ms) == (6, START_MS)
    assert world.incarnation(device).stored == [[3, 6]]


def test_an_earlier_incarnation_seen_later_is_history(world, device):
    later = device.restarted(b"inc-0002", boot=2)
    world.take(later.seal("birth", seq=0))
    world.take(device.data(7, START_MS - 90_000))
    assert [reading.current for reading in readings(world)] == [False, False]
    assert world.incarnation(device).order < world.incarnation(later).order
    assert world.state(device).incarnation == later.incarnation.hex()


def test_the_same_boot_number_is_ordered_by_first_sight(world, device):
    unsaved = device.restarted(b"inc-0002", boot=1)
    world.take(device.data(9))
    world.take(unsaved.data(0))
    assert world.state(device).incarnation == unsaved.incarnation.hex()


def test_a_new_unit_begins_to_count_anew(world, device):
    device.boot = 50
    world.take(device.data(0))
    unit = Sealer(incarnation=b"inc-new1", boot=1)
    world.enrol(unit, from_ms=START_MS)
    world.clock.step(5000)
    world.take(unit.data(0))
    assert world.state(device).incarnation == unit.incarnation.hex()


def test_orders():
    assert pack_order(0, 9, 9) < pack_order(0, 10, 0) < pack_order(1, 0, 0) < pack_order(1, 1 << 60, 1 << 60)
    assert pack_order(1023, 1 << 60, 1 << 60) < 1 << 63


def test_readings_come_in_order_with_their_values(world, device):
    world.take(device.data(0, tables=[["upsd", "apc", ["ob", "rb"], [[0, 1, None], [-2000, 0, 0]]]]))
    assert [(r.time_ms, r.fields) for r in readings(world)] == [
        (START_MS - 2000, {"ob": 0, "rb": 0}),
        (START_MS, {"ob": 1}),
    ]


def test_a_frame_with_two_tables_of_one_series_merges(world, device):
    extra = [*SAMPLE, ["upsd", "apc", ["rb"], [[0, 1]]]]
    world.take(device.data(0, tables=extra))
    assert world.store.latest()[0].fields == {"ob": 1, "input_voltage": 3.0, "rb": 1}


def test_acks_are_collected_to_one_in_two_seconds(world, device):
    world.take(device.data(0))
    world.take(device.data(1))
    world.clock.step(1000)
    world.take(device.data(3))
    assert [ack.stored for ack in world.acks(device)] == [[[0, 0]]]
    world.clock.step(1000)
    world.stages[-1].flush()
    assert [ack.stored for ack in world.acks(device)] == [[[0, 0]], [[1, 1], [3, 3]]]
    assert world.acks(device)[1].time_ms == world.clock.now_ms()
    world.clock.step(5000)
    world.stages[-1].flush()
    assert len(world.acks(device)) == 2


def test_each_incarnation_has_its_own_ack(world, device):
    later = device.restarted(b"inc-0002", boot=2)
    world.take(later.data(0), device.data(4))
    world.clock.step(2000)
    world.stages[-1].flush()
    found = [(ack.incarnation, ack.stored) for ack in world.acks(device)]
    assert found == [(later.incarnation, [[0, 0]]), (device.incarnation, [[4, 4]])]


def test_what_devices_dropped_is_kept(world, device):
    world.take(device.data(0, dropped={"data": 3}), device.data(1, dropped={"data": 5, "event": 1}))
    world.take(device.data(2))
    assert world.incarnation(device).dropped == {"data": 5, "event": 1}


def test_the_hello_is_kept(world, device):
    world.take(device.seal("birth", seq=0))
    assert world.state(device).hello == {"agent": "0.1.0", "intervals": {"frame": 30_000}}


def test_samples_go_to_the_place_of_their_time(world, device):
    with world.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO site (id, name_es, name_en, kind, nominal_v, priority, sample)"
            " VALUES ('otra', 'o', 'o', 'x', 127, 3, 0)"
        )
        connection.exec_driver_sql("UPDATE assignment SET to_ms = ?", (START_MS - 5000,))
        connection.exec_driver_sql(
            "INSERT INTO assignment (device_id, site_id, from_ms) VALUES ('r1', 'otra', ?)",
            (START_MS - 5000,),
        )
    world.restart()
    world.take(device.data(0))
    assert {row.site: row.time_ms for row in world.store.latest()} == {
        "casa-cultura": START_MS - 10_000, "otra": START_MS,
    }  # fmt: skip
    assert {site for site, _ in world.judge.told} == {"casa-cultura", "otra"}
