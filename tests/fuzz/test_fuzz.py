"""The fuzzer runs, finds nothing, and would find what is planted."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cbor2
import pytest

from agent.wire import cbor
from agent.wire.errors import WireError
from collector.ingest import admit
from collector.ingest.batch import Batch, Item, Signed
from collector.ingest.tables import Checked, Register
from collector.ingest.verify import VerifyStage
from collector.model import Reason, Table
from collector.registry import KeyEntry
from tests.fuzz import reference, seeds, tree
from tests.fuzz.__main__ import covered
from tests.fuzz.judgement import Wrong
from tests.fuzz.keys import PAIRS, TOPICS, Enrolled
from tests.fuzz.recipe import FRAME, Recipe
from tests.fuzz.target import Target
from tests.fuzz.worker import plain

SEEDS = Path(__file__).resolve().parent / "seeds"
SOON = 3000  # executions in which a planted fault has to be found


def test_short_run() -> None:
    """Guided by coverage; without atheris (it has no wheel everywhere) at random."""
    engine = "atheris" if importlib.util.find_spec("atheris") else "plain"
    command = [sys.executable, "-m", "tests.fuzz", "--runs", "20000", "--engine", engine]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=SEEDS.parents[2])
    assert run.returncode == 0, run.stdout + run.stderr
    last = json.loads(run.stdout.splitlines()[-1])
    assert last["runs"] >= 19_000
    assert (last["crashes"], last["wrongly_accepted"]) == (0, 0)
    assert last["past_cose"] >= 50
    assert last["past_signature"] >= 40
    assert last["accepted"] > 500
    assert last["coverage"] >= 95


def test_seeds_alone_reach_the_modules() -> None:
    lines = covered([SEEDS])
    reached = sum(one["reached"] for one in lines.values())
    assert reached >= 0.95 * sum(one["lines"] for one in lines.values()), lines


# --- the judgement itself ------------------------------------------------------------------------


class Planted:
    """The real stage, and behind it a fault that lets some refused messages through."""

    name = "verify"

    def __init__(self, fault: Callable[[Item], bool], registry: Any = None) -> None:
        self.stage = VerifyStage(registry or Enrolled())  # type: ignore[arg-type]  # the keys alone
        self.fault = fault

    def __call__(self, batch: Batch) -> None:
        for item in batch.open():
            self.stage(Batch([item]))
            if item.early is not None and self.fault(item):
                item.early = None


def skips_the_aad(item: Item) -> bool:
    """The signature counts, whatever the topic it was made for."""
    if item.early is None or item.early.reason is not Reason.BAD_SIGNATURE:
        return False
    honest = VerifyStage(Enrolled())  # type: ignore[arg-type]  # the keys alone
    for topic in TOPICS:
        other = Batch.of([item.received._replace(topic=topic)])
        other.items[0].address = item.address
        honest(other)
        if other.items[0].signed is not None:
            item.signed = other.items[0].signed
            return True
    return False


def skips_the_signature(item: Item) -> bool:
    if item.early is None or item.early.reason is not Reason.BAD_SIGNATURE:
        return False
    item.signed = Signed(item.received.payload[7:15].hex(), item.received.payload[17:-66])
    return True


class Lenient(Enrolled):
    """Knows revoked keys as good ones."""

    def key(self, kid: str) -> KeyEntry | None:
        entry = super().key(kid)
        return entry and replace(entry, revoked_ms=None)


class Hasty(Enrolled):
    """Enrols a key because somebody uses it."""

    def key(self, kid: str) -> KeyEntry | None:
        stranger = PAIRS[4]
        if kid == stranger.kid.hex():
            return KeyEntry(kid, stranger.device, stranger.private.public_key(), 0, None)
        return super().key(kid)


class Boundless(Register):
    """Looks at no value."""

    def usual(self, device: str, found: Any) -> None:
        return None

    def check(self, device: str, table: Table) -> Checked:
        checked = super().check(device, table)
        if checked.table is not None and checked.table.fields == table.fields:
            return Checked(table)
        return checked


class Forgetful(Register):
    """Counts instances and unknown fields of each frame alone."""

    def check(self, device: str, table: Table) -> Checked:
        return Register().check(device, table)

    def usual(self, device: str, found: Any) -> None:
        return None


def by_cbor2(data: bytes) -> Any:
    try:
        return cbor2.loads(data)
    except Exception as error:
        raise WireError("malformed", str(error)) from error


def unfolding(data: bytes) -> Any:
    """Follows references to what is shared, as often as they stand there."""
    try:
        value = cbor2.loads(data, allow_indefinite=False, allow_duplicate_keys=False)
        usual = admit._plain(value, 0) and cbor2.dumps(value, canonical=True) == data
    except cbor2.CBORDecodeError:
        usual = False
    return value if usual else cbor.decode(data)


def without_end(data: bytes) -> Any:
    """Does not look behind the item."""
    for end in range(len(data), len(data) - 3, -1):
        try:
            return cbor.decode(data[:end])
        except WireError:
            continue
    raise WireError("malformed", "not even without its end")


@pytest.mark.parametrize(
    "planted",
    [
        pytest.param({"verify": Planted(skips_the_aad)}, id="skips the aad"),
        pytest.param({"verify": Planted(skips_the_signature)}, id="skips the signature"),
        pytest.param({"verify": Planted(lambda _: False, Lenient())}, id="takes revoked keys"),
        pytest.param({"verify": Planted(lambda _: False, Hasty())}, id="takes unknown keys"),
        pytest.param({"decode": by_cbor2}, id="decodes everything"),
        pytest.param({"decode": unfolding}, id="unfolds what is shared"),
        pytest.param({"decode": without_end}, id="takes trailing bytes"),
        pytest.param({"register": Boundless}, id="takes any value"),
        pytest.param({"register": Forgetful}, id="counts no names"),
    ],
)
def test_planted_faults_are_found(planted: dict[str, Any]) -> None:
    beginning = [Recipe(body=seeds.PAYLOAD).write()]
    target = Target(**planted)
    with pytest.raises(Wrong):
        plain(SOON, 0, 1, target.run, beginning)


def test_nothing_is_found_where_nothing_is_planted() -> None:
    target = Target(verify=Planted(lambda _: False))
    plain(SOON, 0, 1, target.run, [Recipe(body=seeds.PAYLOAD).write()])
    assert target.tally.executions == SOON
    assert target.tally.wrongly_accepted == 0
    assert target.tally.accepted > 50


# --- its parts -----------------------------------------------------------------------------------


def test_recipes_are_read_as_written() -> None:
    for recipe in seeds.recipes():
        assert Recipe.read(recipe.write()) == recipe


def test_trees_are_written_as_read() -> None:
    for recipe in seeds.recipes():
        if recipe.mode != FRAME:
            continue
        assert b"".join(map(tree.write, tree.read(recipe.body))) == recipe.body


def test_an_input_makes_the_same_message_every_time() -> None:
    target = Target()
    for recipe in seeds.recipes():
        first = target.tally.reasons.copy()
        target.run(recipe.write())
        second = target.tally.reasons.copy()
        target.run(recipe.write())
        assert target.tally.reasons - second == second - first


def test_seeds_are_payloads_to_the_reference() -> None:
    for kind, payloads in seeds.PAYLOADS.items():
        for value in payloads:
            valid = reference.ack_valid(value) if kind == "ack" else not reference.faults(kind, value)
            assert valid, kind


# --- what was found ------------------------------------------------------------------------------


@pytest.mark.timeout(20)
def test_shared_references_do_not_unfold() -> None:
    """Two kilobytes of nested shared references (tags 28, 29) once kept the decoder busy for weeks."""
    levels, width = 6, 120
    bomb = bytes([0x80 + levels + 1]) + b"\xd8\x1c\x81\x01"
    for level in range(levels):
        bomb += b"\xd8\x1c\x98" + bytes([width]) + (b"\xd8\x1d" + bytes([level])) * width
    for decode in (admit.decode, cbor.decode):
        with pytest.raises(WireError, match="malformed"):
            decode(bomb)


@pytest.mark.timeout(20)
def test_text_references_do_not_unfold() -> None:
    """60 KB of references to one text (tags 25, 256) would be 600 MB when written back."""
    text = b"\x59\x75\x30" + bytes(30_000)
    count = 20_000
    many = b"\xd9\x01\x00\x99" + (count + 1).to_bytes(2, "big") + text + b"\xd8\x19\x00" * count
    for decode in (admit.decode, cbor.decode):
        with pytest.raises(WireError, match="malformed"):
            decode(many)
