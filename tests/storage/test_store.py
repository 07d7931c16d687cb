"""One suite for both stores."""

from __future__ import annotations

import time

from collector.model import Point, Reason
from collector.storage.port import Latest, Series, SeriesQuery, Written

DAY_MS = 86_400_000
NOW_MS = time.time_ns() // 1_000_000
T = NOW_MS - NOW_MS % 60_000 - 600_000  # ten minutes ago, on the minute


def ups(time_ms, site="casa", device="r1", name="apc", **fields):
    tags = (("device", device), ("site", site), ("ups_name", name))
    return Point("upsd", tags, tuple(fields.items()), time_ms)


def load(time_ms, site="casa", device="r1", **fields):
    return Point("system", (("device", device), ("site", site)), tuple(fields.items()), time_ms)


def all_of(store):
    query = SeriesQuery("casa", "upsd", ("input_voltage",), T - DAY_MS, NOW_MS + DAY_MS)
    return [point for series in store.series(query) for point in series.points]


def test_provisioning_twice_does_nothing_more(store):
    assert store.provision() == []
    store.check()


def test_what_is_written_is_read(store):
    frame = [
        ups(T, input_voltage=127.5, ob=0),
        ups(T + 10_000, input_voltage=120.0, ob=1),
        load(T, load1=0.5),
    ]
    assert store.write([frame]) == [Written()]
    assert store.latest() == [
        Latest("casa", "r1", "system", None, T, {"load1": 0.5}),
        Latest("casa", "r1", "upsd", "apc", T + 10_000, {"input_voltage": 120.0, "ob": 1}),
    ]


def test_what_the_centre_concludes_is_a_series_but_no_devices_reading(store):
    point = Point("site_state", (("site", "casa"),), (("dark", 1), ("status", 3)), T)
    assert store.write([[point], [load(T, load1=1.0)]]) == [Written(), Written()]
    assert [row.measurement for row in store.latest()] == ["system"]
    query = SeriesQuery("casa", "site_state", ("dark",), T, T + 1)
    assert store.series(query) == [Series("", "site_state", None, "dark", [(T, 1.0)])]


def test_latest_by_site_and_since(store):
    store.write([[load(T, load1=1.0)], [load(T + 5, site="otra", device="r2", load1=2.0)]])
    assert [row.site for row in store.latest("otra")] == ["otra"]
    assert [row.device for row in store.latest(since_ms=T + 5)] == ["r2"]
    assert store.latest("nada") == []


def test_writing_again_changes_nothing(store):
    frame = [ups(T + n * 1000, input_voltage=float(n)) for n in range(5)]
    store.write([frame])
    store.write([frame, frame])
    assert all_of(store) == [(T + n * 1000, float(n)) for n in range(5)]


def test_a_point_written_again_merges_its_fields(store):
    store.write([[ups(T, ob=0)]])
    store.write([[ups(T, input_voltage=126.0)]])
    assert store.latest()[0].fields == {"ob": 0, "input_voltage": 126.0}


def test_older_rows_do_not_become_the_latest(store):
    store.write([[load(T, load1=1.0)]])
    store.write([[load(T - 1000, load1=9.0)]])
    assert store.latest()[0].fields == {"load1": 1.0}


def test_one_type_conflict_among_many_refuses_that_frame_only(store):
    frames = [[ups(T + n * 1000, input_voltage=float(n))] for n in range(20)]
    store.write(frames[:1])
    frames[7] = [ups(T + 7000, input_voltage="wrong")]
    answers = store.write(frames)
    assert [n for n, answer in enumerate(answers) if answer.reason] == [7]
    assert answers[7].reason is Reason.TYPE_CONFLICT
    assert answers[7].detail
    assert len(all_of(store)) == 19


def test_beyond_all_retention_is_refused(store):
    answers = store.write([[load(T - 2000 * DAY_MS, load1=1.0)], [load(T, load1=1.0)]])
    assert [answer.reason for answer in answers] == [Reason.BEYOND_RETENTION, None]


def test_older_than_raw_is_kept_and_read(store):
    old = T - 40 * DAY_MS
    assert store.write([[ups(old, input_voltage=119.0)], [ups(T, input_voltage=127.0)]]) == [Written()] * 2
    query = SeriesQuery("casa", "upsd", ("input_voltage",), old - DAY_MS, NOW_MS, every_ms=3_600_000)
    [series] = store.series(query)
    assert [value for _, value in series.points] == [119.0, 127.0]


def test_series_are_averaged_over_windows_of_the_epoch(store):
    minute = T - T % 60_000
    store.write([[ups(minute + n * 10_000, input_voltage=100.0 + n) for n in range(12)]])
    query = SeriesQuery(
        "casa", "upsd", ("input_voltage",), minute + 15_000, minute + 120_000, every_ms=60_000
    )
    assert store.series(query) == [
        Series("r1", "upsd", "apc", "input_voltage", [(minute, 103.5), (minute + 60_000, 108.5)])
    ]


def test_series_by_device_instance_and_range(store):
    store.write([[ups(T, name="a", ob=1), ups(T, name="b", ob=0), ups(T, device="r2", name="a", ob=0)]])
    both = store.series(SeriesQuery("casa", "upsd", ("ob",), T, T + 1))
    assert [(s.device, s.instance) for s in both] == [("r1", "a"), ("r1", "b"), ("r2", "a")]
    one = store.series(SeriesQuery("casa", "upsd", ("ob",), T, T + 1, device="r1", instance="b"))
    assert one == [Series("r1", "upsd", "b", "ob", [(T, 0.0)])]
    assert store.series(SeriesQuery("casa", "upsd", ("ob",), T + 1, T + 2)) == []


def test_text_is_no_series(store):
    store.write([[ups(T, last_transfer='input "low" \\ x, y=z', ob=1)]])
    assert store.latest()[0].fields["last_transfer"] == 'input "low" \\ x, y=z'
    assert store.series(SeriesQuery("casa", "upsd", ("last_transfer",), T, T + 1)) == []


def test_awkward_names_survive_and_inject_nothing(store):
    name = 'a b,c=d "e" ${f}) |> drop()'
    store.write([[ups(T, name=name, ob=1), ups(T, name="plain", ob=1)]])
    assert {row.instance for row in store.latest("casa")} == {name, "plain"}
    query = SeriesQuery("casa", "upsd", ("ob",), T, T + 1, instance=name)
    assert [series.instance for series in store.series(query)] == [name]
    hostile = SeriesQuery('casa" or true) //', "upsd", ("ob",), T, T + 1, device='"', instance="${x}")
    assert store.series(hostile) == []


def test_large_integers_and_small_floats_keep_their_value(store):
    tags = (("device", "r1"), ("interface", "eth0"), ("site", "casa"))
    store.write([[Point("net", tags, (("bytes_recv", (1 << 62) + 1),), T), load(T, load1=1.5e-7)]])
    fields = {row.measurement: row.fields for row in store.latest()}
    assert fields == {"net": {"bytes_recv": (1 << 62) + 1}, "system": {"load1": 1.5e-7}}


def test_nothing_to_write(store):
    assert store.write([]) == []
    assert store.latest() == []
