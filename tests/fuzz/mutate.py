"""How an input becomes another one: its structure is changed, then it is written and signed anew.

Two thirds of the mutants are honestly signed frames, so that most executions reach the decoder and the
register; the others are wrong in topic, key, envelope or signature.
"""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING, Any

from agent.wire.fields import MEASUREMENTS
from tests.fuzz import seeds, tree
from tests.fuzz.envelope import EDITS, STYLES
from tests.fuzz.keys import PAIRS, TOPICS
from tests.fuzz.recipe import ACK, CROWDED, FRAME, HEAD, OTHER_SESSION, RAW, REPLAY, TOPIC, WARM, Recipe
from tests.fuzz.tree import ARRAY, BYTES, INDEFINITE, MAP, NINT, SIMPLE, TAG, TEXT, UINT, VERBATIM, Node

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[list[Node], int, random.Random], None]

_EDGES = (
    0, 23, 24, 255, 256, 65535, 65536, 1 << 31, 1 << 32, 1 << 53, (1 << 53) + 1, (1 << 63) - 1, 1 << 63,
    (1 << 64) - 1,
)  # fmt: skip
_NUMBERS = (0, 1, 2, 13, 50, 100, 101, 255, 256, 1000, 1001, 10_000, 86_400_000, 86_400_001)
_FLOATS = (
    0.0, -0.0, 0.5, 1.0, 100.0, 100.5, -60.0, -61.0, 1e6, 1e300, 5e-324, 65504.0, 65536.0, 2.0**-24, 0.1,
)  # fmt: skip
_ODD_FLOATS = (
    b"\x7e\x00", b"\x7c\x00", b"\xfc\x00", b"\x00\x01", b"\x80\x00", b"\x3c\x00",
    b"\x7f\xc0\x00\x00", b"\x7f\x80\x00\x00", b"\x3f\x80\x00\x00",
    b"\x7f\xf8" + bytes(6), b"\xff\xf0" + bytes(6), b"\x7f\xf0" + bytes(5) + b"\x01",
)  # fmt: skip
_TEXTS = (
    "", "a", "_a", "A", "a b", "time", "site", "device", "time_quality", "interface", "x" * 40, "x" * 41,
    "x" * 128, "x" * 129, "x" * 256, "x" * 257, "r1", "r2", "vigia-x", "eth0", "a\\b", "a\nb", "a\x7fb",
    "a\x85b", "\u2028", "\u00f1", "\U0001f50c", "\ud800", "\x00", "agent", "hello", "frame", "samples", "a\n",
    "\u0663",
)  # fmt: skip
_NAMES = tuple(
    sorted({name for known in MEASUREMENTS.values() for name in known.fields} | MEASUREMENTS.keys())
)
_LEAF_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, [], {}, b"", "", 1.5, b"x" * 8, b"y" * 16, [[0, 1]],
)  # fmt: skip
_LEAVES = tuple(map(tree.make, _LEAF_VALUES))
_TAGS = (0, 1, 2, 3, 4, 5, 18, 24, 25, 28, 29, 30, 35, 256, 258, 260, 55799)
_SEEDS = [payload for payloads in seeds.PAYLOADS.values() for payload in payloads]
_MEASURED = [tree.make(table) for payload in _SEEDS for table in payload.get(9, [])]
_MEMBERS = [[tree.make(key), tree.make(value)] for payload in _SEEDS for key, value in payload.items()]
_TABLES = 9  # key of the tables in a payload
_FLAGS = (0, 0, 0, CROWDED, REPLAY, WARM, WARM, WARM, WARM | REPLAY)
_DEEP = 500  # levels
_ENOUGH = 450  # bytes of a body


# --- changes of the tree -------------------------------------------------------------------------


def _replace(nodes: list[Node], at: int, rng: random.Random) -> None:
    nodes[at] = rng.choice(_LEAVES).copy()


def _number(nodes: list[Node], at: int, rng: random.Random) -> None:
    node = nodes[at]
    if node.major in {UINT, NINT}:
        kind = rng.random()
        if kind < 0.4:
            node.number = rng.choice(_EDGES)
        elif kind < 0.7:
            node.number = rng.choice(_NUMBERS)
        else:
            node.number = (node.number + rng.choice((-1, 1, 2, 1000))) % (1 << 64)
        if rng.random() < 0.2:
            node.major ^= 1
    elif node.major == SIMPLE:
        nodes[at] = tree.make(rng.choice(_FLOATS)) if rng.random() < 0.6 else _odd_float(rng)
    else:
        nodes[at] = Node(UINT, rng.choice(_NUMBERS))


def _odd_float(rng: random.Random) -> Node:
    data = rng.choice(_ODD_FLOATS) if rng.random() < 0.8 else rng.randbytes(rng.choice((2, 4, 8)))
    return Node(SIMPLE, info={2: 25, 4: 26, 8: 27}[len(data)], data=data)


def _text(nodes: list[Node], at: int, rng: random.Random) -> None:
    node = nodes[at]
    chosen = rng.random()
    if node.major not in {TEXT, BYTES} or chosen < 0.4:
        nodes[at] = tree.make(rng.choice(_TEXTS))
    elif chosen < 0.8:
        nodes[at] = tree.make(rng.choice(_NAMES))
    else:
        node.data = _bytes_changed(node.data, rng)


def _bytes_changed(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    at = rng.randrange(len(changed) + 1)
    changed[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
    return bytes(changed)


def _width(nodes: list[Node], at: int, rng: random.Random) -> None:
    node = nodes[at]
    if node.major == SIMPLE:
        _float_width(node, rng)
    elif node.major in {BYTES, TEXT, ARRAY, MAP} and rng.random() < 0.3:
        node.info = INDEFINITE
    else:
        node.info = rng.choice((24, 25, 26, 27))


def _float_width(node: Node, rng: random.Random) -> None:
    forms = {25: ">e", 26: ">f", 27: ">d"}
    if node.info not in forms:
        node.info, node.data = rng.choice(((rng.randrange(32), b""), (24, rng.randbytes(1)), (23, b"")))
        return
    (value,) = struct.unpack(
        forms[node.info], node.data.ljust(8, b"\x00")[: {25: 2, 26: 4, 27: 8}[node.info]]
    )
    wanted = rng.choice((25, 26, 27))
    try:
        node.info, node.data = wanted, struct.pack(forms[wanted], value)
    except OverflowError:
        return


def _lie(nodes: list[Node], at: int, rng: random.Random) -> None:
    nodes[at].lie = rng.choice((-1, 1, 2, 1000, 1 << 40, 0))


def _remove(nodes: list[Node], at: int, _rng: random.Random) -> None:
    del nodes[at]


def _double(nodes: list[Node], at: int, rng: random.Random) -> None:
    times = 1 if rng.random() < 0.9 else rng.choice((2, 7, 17, 33, 65))
    nodes[at:at] = [nodes[at].copy() for _ in range(times)]


def _double_pair(nodes: list[Node], at: int, _rng: random.Random) -> None:
    at -= at % 2
    nodes[at:at] = [node.copy() for node in nodes[at : at + 2]]


def _swap(nodes: list[Node], at: int, rng: random.Random) -> None:
    other = rng.randrange(len(nodes))
    nodes[at], nodes[other] = nodes[other], nodes[at]


def _wrap(nodes: list[Node], at: int, rng: random.Random) -> None:
    deep = rng.choice((1, 1, 2, 6, 7, 8, 9)) if rng.random() < 0.97 else _DEEP
    if deep == _DEEP:
        nodes[at] = Node(VERBATIM, data=rng.choice((b"\x81", b"\xa1\x00", b"\xc1")) * deep + b"\x00")
        return
    for _ in range(deep):
        nodes[at] = Node(ARRAY, children=[nodes[at]])


def _tag(nodes: list[Node], at: int, rng: random.Random) -> None:
    nodes[at] = Node(TAG, rng.choice(_TAGS), children=[nodes[at]])


def _share(nodes: list[Node], at: int, rng: random.Random) -> None:
    """Many references to one shared item (tags 28 and 29), that unfold to more than was sent."""
    width, levels = rng.choice((4, 8)), rng.randrange(1, 8)
    shared = Node(TAG, 28, children=[nodes[at]])
    for inner in range(levels, 0, -1):  # counted from outside in, as decoders number what is shared
        again = [Node(TAG, 29, children=[Node(UINT, inner)]) for _ in range(width)]
        shared = Node(TAG, 28, children=[Node(ARRAY, children=[shared, *again])])
    nodes[at] = shared


def _table(nodes: list[Node], at: int, rng: random.Random) -> None:
    chosen = rng.choice(_MEASURED).copy()
    if nodes[at].major == ARRAY and rng.random() < 0.8:
        nodes[at].children.insert(0, chosen)
    else:
        nodes[at] = chosen


def _member(nodes: list[Node], at: int, rng: random.Random) -> None:
    pair = [part.copy() for part in rng.choice(_MEMBERS)]
    if rng.random() < 0.3:
        pair[0] = Node(UINT, rng.randrange(20))
    place = nodes[at].children if nodes[at].major == MAP else nodes
    place[0:0] = pair


def _many(nodes: list[Node], at: int, rng: random.Random) -> None:
    """The same item many times, with a name that counts in place of one text of it."""
    for number in range(rng.choice((2, 3, 5, 17))):
        other = nodes[at].copy()
        texts = [(s, i) for s, i in tree.walk([other]) if s[i].major == TEXT]
        if texts:
            siblings, place = texts[-1 if len(texts) < 2 else rng.randrange(2)]
            siblings[place] = tree.make(f"n{number}")
        nodes.insert(at, other)


_CHANGES: tuple[Change, ...] = (
    _replace, _number, _number, _number, _text, _text, _text, _width, _width, _lie, _remove, _double,
    _double_pair, _swap, _wrap, _tag, _share, _table, _table, _member, _member, _many,
)  # fmt: skip
_ANEW = 0.5  # of the frames begin from a seed's payload


def _value(nodes: list[Node], at: int, rng: random.Random) -> None:
    """Another number or text of the same type, whatever the item is."""
    if nodes[at].major in {UINT, NINT, SIMPLE}:
        _number(nodes, at, rng)
    elif nodes[at].major == TEXT:
        _text(nodes, at, rng)


def _in_tables(change: Change) -> Change:
    """The change, of something inside the tables when there are any."""

    def changed(nodes: list[Node], at: int, rng: random.Random) -> None:
        for siblings, place in tree.walk(nodes):
            node = siblings[place]
            if node.major == UINT and node.number == _TABLES and place + 1 < len(siblings):
                places = list(tree.walk(siblings[place + 1].children))
                if places:
                    nodes, at = rng.choice(places)
                break
        change(nodes, at, rng)

    return changed


_GENTLE: tuple[Change, ...] = (
    _value,
    _in_tables(_value),
    _in_tables(_value),
    _in_tables(_many),
    _table,
    _width,
)


def _reshaped(body: bytes, rng: random.Random) -> bytes:
    nodes = tree.read(body)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5))):
        places = list(tree.walk(nodes))
        if not places:
            nodes = tree.read(seeds.PAYLOAD)
            continue
        siblings, at = rng.choice(places)
        rng.choice(_CHANGES)(siblings, at, rng)
    return b"".join(map(tree.write, nodes))


# --- changes of the recipe -----------------------------------------------------------------------


def _honest(recipe: Recipe) -> None:
    of_r2 = TOPICS[recipe.topic].split("/")[3] == "r2"
    recipe.pair = 1 if of_r2 else recipe.pair if recipe.pair in {0, 2} else 0
    recipe.kid = recipe.deliver = recipe.style = recipe.edit = 0
    recipe.flags &= CROWDED | REPLAY | WARM


def _other_pair(recipe: Recipe, rng: random.Random) -> None:
    recipe.pair = rng.randrange(len(PAIRS))


def _other_kid(recipe: Recipe, rng: random.Random) -> None:
    recipe.kid = rng.randrange(len(PAIRS) + 1)


def _other_delivery(recipe: Recipe, rng: random.Random) -> None:
    recipe.deliver = rng.randrange(len(TOPICS) + 1)


def _other_style(recipe: Recipe, rng: random.Random) -> None:
    recipe.style = rng.randrange(len(STYLES))


def _edit(recipe: Recipe, rng: random.Random) -> None:
    recipe.edit = rng.randrange(len(EDITS))
    recipe.at = rng.randrange(1 << 16)
    recipe.value = rng.randrange(256)


def _flip_after(recipe: Recipe, rng: random.Random) -> None:
    _edit(recipe, rng)
    recipe.edit = rng.choice((7, 8))


def _other_mode(recipe: Recipe, rng: random.Random) -> None:
    recipe.mode = rng.choice((FRAME, RAW, ACK, TOPIC))


def _other_session(recipe: Recipe, _rng: random.Random) -> None:
    recipe.flags ^= OTHER_SESSION


_LIES: tuple[Any, ...] = (
    _other_pair, _other_pair, _other_kid, _other_kid, _other_delivery, _other_delivery, _other_style,
    _other_style, _other_style, _edit, _flip_after, _flip_after, _other_mode, _other_session,
)  # fmt: skip


def mutated(
    data: bytes, limit: int, seed: int, mutate_bytes: Callable[[bytes, int], bytes] | None = None
) -> bytes:
    """Return another input of at most ``limit`` bytes. ``mutate_bytes`` is the engine's own mutator."""
    rng = random.Random(seed)  # noqa: S311 - chance, not secrecy
    recipe = Recipe.read(data)
    if recipe.mode == FRAME:
        _turn(recipe, rng)
    body = recipe.body
    if rng.random() < _ANEW and recipe.mode == FRAME:
        body = _ripe(recipe, rng)
    elif mutate_bytes is not None and rng.random() < 0.15:
        body = mutate_bytes(body, min(limit - HEAD, _ENOUGH))
    elif recipe.mode in {FRAME, ACK} or rng.random() < 0.2:
        body = _reshaped(body, rng)
    else:
        body = _bytes_changed(body, rng)
    if recipe.mode in {RAW, TOPIC} and rng.random() < 0.5:
        body = _bytes_changed(body, rng)
    recipe.body = body[: min(limit - HEAD, _ENOUGH)]
    if recipe.mode != FRAME and rng.random() < 0.3:
        rng.choice(_LIES)(recipe, rng)
    return recipe.write()


def _ripe(recipe: Recipe, rng: random.Random) -> bytes:
    """A seed's payload, changed gently: it has the shape of the contract and mostly keeps it."""
    kind = TOPICS[recipe.topic].split("/")[-1]
    value = rng.choice(seeds.PAYLOADS[kind])
    if "/r2/" in TOPICS[recipe.topic]:
        value = value | {2: "r2"}
    nodes = [tree.make(value)]
    for _ in range(rng.choice((1, 1, 2, 2, 3, 4))):
        siblings, at = rng.choice(list(tree.walk(nodes)))
        rng.choice(_GENTLE)(siblings, at, rng)
    return b"".join(map(tree.write, nodes))


def _turn(recipe: Recipe, rng: random.Random) -> None:
    """Make a frame honest, or a lie."""
    recipe.flags = rng.choice(_FLAGS)
    if rng.random() < 0.2:
        recipe.topic = rng.choice((0, 1, 2, 3, 5)) if rng.random() < 0.8 else rng.randrange(len(TOPICS))
    _honest(recipe)
    if rng.random() < 0.28:
        for _ in range(rng.choice((1, 1, 2))):
            rng.choice(_LIES)(recipe, rng)
