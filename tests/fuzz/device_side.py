"""The device's half of the wire under the same inputs: acks opened, frames sealed, intervals counted."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

from agent.wire import cbor, cose, frame, intervals, p256
from agent.wire.errors import WireError
from agent.wire.mac import ack_key
from tests.fuzz import recipe as recipes
from tests.fuzz import reference
from tests.fuzz.envelope import MAX_ACK_BYTES, MAX_BYTES, Draft
from tests.fuzz.judgement import Tally, demand, rare, same
from tests.fuzz.keys import ACK_SECRET, PAIRS, TOPICS

if TYPE_CHECKING:
    from tests.fuzz.recipe import Recipe

_SIGNED_ONE_IN = 256
_COUNTED_BELOW = 300  # intervals up to here are compared with sets


def open_ack(recipe: Recipe, tally: Tally) -> None:
    """A device takes an ack exactly when the centre made it for this device and topic."""
    message, honest = recipes.ack_of(recipe)
    topic = recipes.delivered_on(recipe)
    holder = recipe.kid - 1 if recipe.kid else recipe.pair
    mine = topic == TOPICS[recipe.topic] and holder == recipe.pair and message == honest
    try:
        kid, payload = cose.open_mac0(recipes.ack_key(holder), topic.encode(), message)
    except WireError as error:
        demand(not mine or len(message) > MAX_ACK_BYTES, f"an honest ack refused: {error}")
        demand(error.reason in {"malformed", "wrong_mac", "oversized"}, f"an ack refused as {error.reason}")
        tally.reasons[error.reason] += 1
        tally.parsed += error.reason == "wrong_mac"
        return
    tally.wrongly_accepted += not mine
    demand(mine, "a forged ack opened")
    demand((kid, payload) == (PAIRS[recipe.pair].kid, recipe.body), "an ack opened to other content")
    tally.parsed += 1
    tally.signed += 1
    _ack_payload(payload, tally)
    _centre_makes_the_same(recipe, honest)


def _centre_makes_the_same(recipe: Recipe, honest: bytes) -> None:
    pair, topic = PAIRS[recipe.pair], TOPICS[recipe.topic]
    made = cose.mac0(ack_key(ACK_SECRET, pair.kid), pair.kid, topic.encode(), recipe.body)
    demand(made == honest and cose.kid_of_mac0(made) == pair.kid, "another ack")


def _ack_payload(payload: bytes, tally: Tally) -> None:
    try:
        value = reference.decode(payload)
    except reference.Refused:
        return
    valid = reference.ack_valid(value)
    try:
        ack = frame.check_ack(cbor.decode(payload))
    except WireError as error:
        demand(not valid and error.reason == "bad_payload", f"a valid ack refused: {error}")
        tally.reasons[error.reason] += 1
        return
    tally.wrongly_accepted += not valid
    demand(valid, "an invalid ack taken")
    tally.accepted += 1
    again = frame.encode_ack(ack.kid, ack.incarnation, ack.stored, ack.refused, ack.time_ms)
    known = {key: value[key] for key in range(1, 6)}
    demand(same(reference.decode(again), known), "an ack encoded otherwise")
    _counted(ack.stored, [item[:2] for item in ack.refused])


def _counted(stored: list[list[int]], refused: list[list[int]]) -> None:
    """Intervals mean what sets mean."""
    if any(high >= _COUNTED_BELOW for _, high in stored + refused):
        return
    numbers = {number for low, high in stored + refused for number in range(low, high + 1)}
    merged = intervals.merge(stored, refused)
    demand(intervals.count(merged) == len(numbers), "intervals merged otherwise than sets")
    one_by_one: list[list[int]] = []
    for number in sorted(numbers, key=lambda number: number * 7919 % 997):
        demand(intervals.add(one_by_one, number), "a new number was not new")
        demand(not intervals.add(one_by_one, number), "a known number was new")
    demand(one_by_one == merged, "intervals added otherwise than merged")
    missing = {number for low, high in intervals.holes(merged) for number in range(low, high + 1)}
    demand(missing == set(range(max(numbers, default=-1))) - numbers, "holes otherwise than sets")
    floor = min(numbers, default=0) + 3
    intervals.collapse(one_by_one, floor)
    kept = [number for number in range(_COUNTED_BELOW) if intervals.contains(one_by_one, number)]
    demand(kept == sorted(number for number in numbers if number >= floor), "collapsed otherwise than sets")


def seal(recipe: Recipe) -> None:
    """Now and then the device signs the body itself: the same bytes that OpenSSL makes (RFC 6979)."""
    if not rare(recipe.body, _SIGNED_ONE_IN):
        return
    pair, topic = PAIRS[recipe.pair], TOPICS[recipe.topic]
    draft = Draft(pair, pair.kid, topic, recipe.body)
    expected = draft.wrap(draft.sign())
    private = pair.private.private_numbers().private_value.to_bytes(32, "big")
    header = cose.protected(cose.ES256, pair.kid)
    digest = hashlib.sha256(cose.to_sign(header, topic.encode(), recipe.body)).digest()
    demand(cose.digest(header, topic.encode(), recipe.body) == digest, "a digest of something else")
    signature = p256.sign(private, digest)
    demand(signature == _slowly(private, digest), "two signatures of one message")
    demand(cose.key_id(p256.spki(private)) == pair.kid, "another kid")
    if len(expected) <= MAX_BYTES:
        demand(cose.sign1(header, recipe.body, signature) == expected, "the device seals otherwise")
        in_place = bytearray(recipe.body)
        cose.seal1(header, in_place, signature)
        demand(in_place == expected, "the device seals otherwise in place")


def _slowly(private: bytes, digest: bytes) -> Any:
    async def pause() -> None:
        return None

    signing = p256.sign_slow(private, digest, pause)
    return asyncio.run(signing)
