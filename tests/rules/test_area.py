"""Who fell with whom: timelines of falls on a map, looked at from one place."""

from __future__ import annotations

from random import Random

import pytest

from collector.rules import area, catalogue
from collector.rules.area import Fall, Falls, Map, Place, Standing, View
from collector.rules.site import Neighbours

LIMITS = catalogue.resolve()
MINUTE = 60_000
LAT = 1.0 / 111_195.0  # degrees of a metre northwards


def place(name: str, north_m: float = 0, **more: object) -> Place:
    return Place(name, name.title(), lat=19.36 + north_m * LAT, lon=-99.2, **more)  # type: ignore[arg-type]


def mains(site: str, at_s: float, back_s: float | None = None) -> Fall:
    return Fall(site, True, round(at_s * 1000), None if back_s is None else round(back_s * 1000))


def silence(site: str, at_s: float, back_s: float | None = None) -> Fall:
    return Fall(site, False, round(at_s * 1000), None if back_s is None else round(back_s * 1000))


def view(
    *places: Place, falls: tuple[Fall, ...] = (), heard_s: float = 3600, supply: bool | None = True
) -> View:
    """A map on which everybody was heard at ``heard_s``."""
    standings = {one.id: Standing(round(heard_s * 1000), supply) for one in places}
    return View(Map(places), Falls.of(falls), standings)


def seen(looked: View, site: str = "a"):
    return area.around(looked, site, LIMITS)


TOWN = (place("a"), place("b", 300), place("c", 600))


def test_two_that_fall_in_the_same_minutes_see_each_other_and_who_has_supply():
    looked = view(*TOWN, falls=(mains("a", 0), silence("b", 40)))

    assert seen(looked).mains == Neighbours(1, 2, fine=1, unsupplied=0, names=("B",))
    assert seen(looked, "b").mains == Neighbours(1, 2, fine=1, unsupplied=1, names=("A",))


def test_who_has_not_fallen_is_told_nothing():
    assert seen(view(*TOWN, falls=(mains("b", 0),))) is None


@pytest.mark.parametrize(("later_s", "dark"), [(180, 1), (181, 0)])
def test_who_fell_at_another_time_did_not_fall_with_it(later_s, dark):
    assert seen(view(*TOWN, falls=(mains("a", 0), mains("b", later_s)))).mains.dark == dark


def test_who_came_back_first_fell_with_it_all_the_same():
    assert seen(view(*TOWN, falls=(mains("a", 0), mains("b", 10, 50)))).mains.dark == 1


def test_a_battery_that_gives_out_is_dated_by_the_supply_that_went():
    """a was on battery from 0 s and silent from 3000 s; b fell silent at once."""
    falls = (mains("a", 0, 4000), silence("a", 3000), silence("b", 20))

    assert seen(view(*TOWN, falls=falls)).mains.dark == 1


def test_an_earlier_outage_that_was_over_is_another_one():
    falls = (mains("a", 0, 1000), silence("a", 3000), silence("b", 20, 900))

    assert seen(view(*TOWN, falls=falls)).mains == Neighbours(0, 2, fine=2)


def test_who_was_not_heard_since_says_nothing():
    assert seen(view(*TOWN, falls=(mains("a", 0),), heard_s=39)).mains is None
    assert seen(view(*TOWN, falls=(mains("a", 0),), heard_s=40)).mains == Neighbours(0, 2, fine=2)


def test_who_cannot_tell_whether_it_has_supply_says_nothing_unless_the_mains_feed_it():
    blind = view(*TOWN, falls=(mains("a", 0),), supply=None)
    fed = View(blind.map, blind.falls, blind.standings, on_mains={"b"})

    assert seen(blind).mains is None
    assert seen(fed).mains == Neighbours(0, 1, fine=1)


def test_facilities_behind_one_meter_count_once_and_not_for_each_other():
    places = (place("a", premises="p"), place("b", premises="p"), place("c", 300, premises="q"),
              place("d", 310, premises="q"))  # fmt: skip
    looked = view(*places, falls=tuple(mains(name, 0) for name in "abcd"))

    found = seen(looked)
    assert (found.mains.dark, found.mains.watched) == (1, 1)
    assert (found.premises.dark, found.premises.names) == (1, ("B",))


def test_premises_of_which_one_facility_fell_are_dark():
    places = (place("a"), place("b", 300, premises="q"), place("c", 310, premises="q"))

    assert seen(view(*places, falls=(mains("a", 0), mains("b", 0)))).mains == Neighbours(
        1, 1, unsupplied=1, names=("B",)
    )


def test_a_position_nobody_knows_makes_nobody_a_neighbour():
    places = (Place("a", "A"), place("b"), place("c", 100))
    looked = view(*places, falls=(mains("a", 0), mains("b", 0)))

    assert seen(looked).mains is None
    assert seen(looked, "b").mains == Neighbours(0, 1, fine=1)


def test_a_group_makes_neighbours_of_whoever_is_in_it():
    places = (Place("a", "A", groups=frozenset({"g"})), place("b", 90_000, groups=frozenset({"g"})))

    assert seen(view(*places, falls=(mains("a", 0), mains("b", 0)))).mains.dark == 1


def test_a_circuit_reaches_further_than_the_radius_and_another_one_says_nothing_for():
    places = (place("a", circuit="f1"), place("b", 5_000, circuit="f1"), place("c", 100, circuit="f2"))
    found = seen(view(*places, falls=(mains("a", 0), mains("b", 0))))

    assert found.mains is None  # c has supply, from elsewhere
    assert (found.circuit.dark, found.circuit.watched) == (1, 1)


def test_a_provider_is_asked_about_silence_alone():
    places = (place("a", provider="x"), place("b", 9_000, provider="x"), place("c", 9_500, provider="x"))

    assert seen(view(*places, falls=(mains("a", 0), mains("b", 0)))).provider is None
    found = seen(view(*places, falls=(silence("a", 0), silence("b", 20)))).provider
    assert found == Neighbours(1, 2, fine=1, names=("B",))


def test_learned_pairs_are_told_of_those_who_fell_now():
    looked = view(*TOWN, falls=(mains("a", 0), mains("b", 0)))
    looked = View(looked.map, looked.falls, looked.standings, (), {("a", "b"): 4, ("a", "c"): 9}, {"a": 5})

    found = seen(looked).cofailure
    assert (found.name, found.together, found.fell) == ("B", 4, 5)


def test_of_thousands_with_one_provider_some_are_asked_and_the_share_stays():
    places = tuple(Place(f"s{number:04d}", provider="x") for number in range(3_000))
    falls = tuple(silence(one.id, 0) for one in places[::2])

    found = seen(view(*places, falls=falls), "s0000").provider
    assert area.MANY / 2 < found.watched <= area.MANY
    assert found.dark / found.watched == pytest.approx(0.5, abs=0.1)


def test_the_squares_find_everybody_within_the_radius():
    rng = Random(7)  # noqa: S311 - chance that can be repeated
    places = [
        Place(f"s{number}", lat=rng.uniform(-60, 60) if number < 20 else 19 + rng.uniform(0, 0.05),
              lon=-99 + rng.uniform(0, 0.05))
        for number in range(300)
    ]  # fmt: skip
    land = Map(places)
    for one in places[:120]:
        near = {other.id for other in places if other.id != one.id and area.metres(one, other) <= 1_000}
        assert set(land.company(one.id, LIMITS).near) == near


def test_of_those_who_fell_near_by_it_is_told_whether_one_provider_could_be_what_they_share():
    def strangers(*providers: str | None) -> int | None:
        here = place("a", provider="x")
        others = [place(f"n{at}", 100 + at, provider=name) for at, name in enumerate(providers)]
        fallen = [silence("a", 0), *(silence(other.id, 20) for other in others)]
        found = seen(view(here, *others, falls=tuple(fallen))).mains
        assert found is not None
        count: int | None = found.strangers
        return count

    assert strangers("x", "x") == 0
    assert strangers("x", "y", "z") == 2
    assert strangers("x", None) is None


# --- coming back ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("returns", "now_min", "back_min"),
    [
        pytest.param([], 60, None, id="nobody is back"),
        pytest.param([60, 61, 61], 62, 61, id="one switch brought all of them"),
        pytest.param([20, 40, 60], 99, None, id="street by street: the next may be on its way"),
        pytest.param([20, 40, 60], 100, 60, id="and had as long as those before it"),
        pytest.param([50], 99, None, id="of a lone one only its own time is known"),
        pytest.param([50], 100, 50, id="which is over"),
        pytest.param([10, 600], 719, None, id="two hours are waited for"),
        pytest.param([10, 600], 720, 600, id="and not more"),
    ],
)
def test_an_area_is_back_when_those_who_follow_had_their_time(returns, now_min, back_min):
    found = area.back_ms(0, [at * MINUTE for at in returns], now_min * MINUTE, LIMITS)
    assert found == (None if back_min is None else back_min * MINUTE)


def test_who_is_dark_beside_another_one_is_a_street_that_waits():
    near, house = place("b", 900), place("b", 0, premises="h")
    assert area.alone([place("a"), near], 1000) == set()
    assert area.alone([place("a"), place("b", 1100)], 1000) == {"a", "b"}
    assert area.alone([place("a", premises="h"), house], 1000) == {"a", "b"}, "one building is one place"
    assert area.alone([place("a", circuit="c"), place("b", 9000, circuit="c")], 1000) == set()


def test_where_nobody_is_near_by_the_next_places_are_asked():
    far = (place("b", 2000), place("c", 4000), place("d", 9000))
    looked = view(place("a"), *far, falls=(mains("a", 0), mains("b", 5), mains("c", 9), mains("d", 3)))
    assert seen(looked).mains is None
    assert seen(looked).far == Neighbours(2, 2, unsupplied=2, names=("B", "C"))
    beside = view(place("a"), *far, place("e", 500), falls=(mains("a", 0), mains("b", 5)))
    assert (seen(beside).mains.fine, seen(beside).far) == (1, None)
