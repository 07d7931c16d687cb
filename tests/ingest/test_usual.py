"""The short way (plans, lazy points, forms of lines) gives what the long way gives."""

from __future__ import annotations

from operator import itemgetter

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.wire import fields as register
from agent.wire import frame as wire
from agent.wire.errors import WireError
from collector.ingest.tables import MAX_PLANS, MAX_VALUES, Register
from collector.model import Quality, Table
from collector.rules.reads import READ
from collector.storage import influx_lines
from collector.storage.points import FramePoints, Part, Places, oldest_ms, point, row_values, with_quality

NUMBERS = st.one_of(
    st.integers(-3, 300),
    st.integers(-(1 << 65), 1 << 65),
    st.floats(),
    st.none(),
    st.booleans(),
    st.text(max_size=2),
)
NAMES = st.sampled_from(
    ["input_voltage", "ol", "last_transfer", "load1", "uptime", "offset_ms", "own_field", "Bad"]
)


@st.composite
def tables(draw):
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    width = draw(st.sampled_from([len(names), len(names), len(names), len(names) - 1]))
    offsets = st.sampled_from([0, -10_000, -1, 5, True, 0.0])
    row = st.tuples(offsets, *[NUMBERS] * width).map(list)
    measurement = draw(st.sampled_from(["upsd", "system", "clock", "unheard_of"]))
    return [measurement, draw(st.sampled_from([None, "apc"])), names, draw(st.lists(row, max_size=2))]


def slowly(judge, raw):
    """The table as the long way leaves it; None when it is refused or loses anything."""
    try:
        wire.check_table(raw)
    except WireError:
        return None
    table = Table(raw[0], raw[1], tuple(raw[2]), tuple(tuple(row) for row in raw[3]))
    checked = judge.check("r1", table)
    return None if checked.problems else checked.table


def plain(usual):
    """Tables of the usual kind with rows as the long way makes them."""
    return [table._replace(rows=tuple(map(tuple, table.rows))) for table in usual.tables]


@settings(max_examples=400, deadline=None)
@given(st.lists(tables(), min_size=1, max_size=3))
def test_what_is_usual_is_what_the_long_way_takes_whole(raws):
    judge = Register()
    judge.check("r1", Table("upsd", "apc", ("ol",), ((0, 1),)))
    usual = judge.usual("r1", raws)
    if usual is not None:
        expected = [slowly(judge, raw) for raw in raws]
        assert plain(usual) == expected
        assert repr(plain(usual)) == repr(expected)  # 1 is not 1.0
        assert usual.values == [value for table in expected for row in table.rows for value in row]
    else:
        assert any(slowly(judge, raw) is None or judge.usual("r1", [raw]) is None for raw in raws)


def test_ordinary_tables_are_usual_from_the_second_time_on():
    judge = Register()
    raw = ["upsd", "apc", ["input_voltage", "ol"], [[-10_000, 127.1, 1], [0, 127.0, 0]]]
    other = ["system", None, ["load1"], [[0, 0.5]]]
    assert judge.usual("r1", [raw]) is None  # a new instance must be counted
    expected = slowly(judge, raw)
    assert plain(judge.usual("r1", [raw])) == [expected]
    assert plain(judge.usual("r1", [raw, other])) == [expected, slowly(judge, other)]
    assert judge.usual("r2", [raw]) is None
    assert judge.usual("r1", [["upsd", ["apc"], raw[2], raw[3]]]) is None
    assert judge.usual("r1", [["upsd", "apc", {"ol": 1}, [[0, 1]]]]) is None
    assert judge.usual("r1", [["upsd", "apc", ["ol"], {0: 1}]]) is None
    assert judge.usual("r1", ["1234"]) is None
    assert judge.usual("r1", [other, 1234]) is None


def test_shapes_that_are_too_large_or_too_many_are_not_remembered():
    judge = Register()
    long = ["system", None, ["load1"], [[0, 0.5]] * MAX_VALUES]
    assert judge.usual("r1", [long]) is None
    for rows in range(1, MAX_VALUES // 2):
        assert judge.usual("r1", [["system", None, ["load1"], [[0, 0.5]] * rows]]) is not None
    assert 0 < len(judge._plans) <= MAX_PLANS


VALUES = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))
COUNTS = st.one_of(st.none(), st.integers(-(1 << 63), (1 << 63) - 1))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-9, 0), VALUES, COUNTS), min_size=1, max_size=3),
    st.sampled_from(["a", "50 % = x, y", "ä"]),
    st.sampled_from(Quality),
    st.one_of(
        st.just(["casa"] * 10), st.lists(st.sampled_from(["casa", "lejos", None]), min_size=10, max_size=10)
    ),
)
def test_lines_of_a_frame_are_those_of_its_points(rows, instance, quality, sites):
    table = Table("upsd", instance, ("input_voltage", "bad_values"), tuple(rows))
    site_of = dict(zip(range(991, 1001), sites, strict=True))
    frame = FramePoints("r1", quality, Places(site_of.__getitem__, 1000).parts_of(table))
    made = [
        point(table, with_quality(row_values(table, row), quality), site, "r1", 1000 + row[0])
        for row in sorted(rows, key=itemgetter(0))
        if row[1:] != (None, None) and (site := site_of[1000 + row[0]])
    ]
    assert list(frame) == made
    assert influx_lines.encode(frame) == influx_lines.encode(made)
    if made:
        assert oldest_ms(frame) == oldest_ms(made) == min(item.time_ms for item in made)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_lines_of_a_usual_frame_are_those_of_its_points(data):
    judge, raws = Register(), []
    kinds = st.sampled_from(
        [
            ("upsd", "50 % = x, y", ["input_voltage", "ol"]),
            ("system", None, ["uptime"]),
            ("mem", None, ["used_percent"]),
        ]
    )
    for measurement, instance, names in data.draw(st.lists(kinds, min_size=1, max_size=4)):
        rule = register.MEASUREMENTS[measurement].fields
        values = [st.floats(0, 100) if rule[name].type == "float" else st.integers(0, 1) for name in names]
        rows = st.lists(st.tuples(st.integers(-9, 0), *values).map(list), min_size=1, max_size=3)
        raws.append([measurement, instance, names, data.draw(rows)])
    for raw in raws:
        slowly(judge, raw)
    usual, quality = judge.usual("r1", raws), data.draw(st.sampled_from(Quality))
    site_of = (
        data.draw(st.sampled_from(["casa"] * 3 + [None])),
        data.draw(st.sampled_from(["casa", "lejos, x"])),
    )
    assert usual is not None
    places = Places(lambda at: site_of[at == 1000], 1000)
    parts = places.parts_of_usual(usual)
    expected = [part for table in usual.tables for part in places.parts_of(table)]
    if parts is not None:
        assert parts == expected
        frame = FramePoints("r1", quality, parts, usual)
        assert influx_lines.encode(frame) == influx_lines.encode(list(frame))


def test_text_goes_the_long_way():
    table = Table("upsd", "a", ("last_transfer",), ((0, 'low "line"'),))
    frame = FramePoints("r1", Quality.SYNCED, [Part(table, "casa", [5], table.rows)])
    assert (
        influx_lines.encode(frame) == rb'upsd,device=r1,site=casa,ups_name=a last_transfer="low \"line\"" 5'
    )


def test_the_rules_read_known_measurements():
    assert set(register.MEASUREMENTS) >= READ
