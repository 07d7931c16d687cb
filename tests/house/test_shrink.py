"""What is made of the agent's source for a router does the same, in less."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from tests.house.shrink_cases import NEAR_MISSES, UNSAFE
from tools.shrink import shrink
from tools.shrink.unsafe import UnsafeError

MAIN = """
import json
from typing import Any
from agent import parts
from agent.parts import LIMIT, Counter, unused as never
TYPE_CHECKING = False
if TYPE_CHECKING:
    from nowhere import nothing
_STEP = 2 * 3

def main(number: "int", *, doubled=False) -> "Any":
    "Documentation."
    counter = Counter(number)
    number += counter.up(_STEP) + parts.twice(LIMIT)
    limit = [LIMIT for LIMIT in (1, 2)]
    __import__("agent.words")
    from agent.late import Late
    def inner():
        nonlocal number
        number += 1
    inner()
    return json.dumps([number, limit, counter.total, getattr(counter, "told"), Late().text(doubled), _own(3)])

def _own(_STEP):
    return _STEP
"""
PARTS = """
LIMIT = 1 << 4

class Counter:
    step = 1
    def __init__(self, start):
        self.total = self._seen = start
        self.told = "told"
    def up(self, by):
        for _ in range(by):
            self._raise(self.step)
        return self._seen
    def _raise(self, by=LIMIT):
        self._seen += by
    def forgotten(self):
        return 1

def twice(value):
    return value * 2

def unused():
    return 1
"""
LATE = """
from agent.parts import Counter, LIMIT
from agent.words import WORDS as _WORDS

class Late:
    def text(self, doubled):
        return _WORDS[doubled] + str(Counter(LIMIT).up(1))
"""
SOURCES = {
    "agent.__main__": MAIN,
    "agent.parts": PARTS,
    "agent.late": LATE,
    "agent.words": 'WORDS = ("no", "yes")',
}


def run(sources: dict[str, str]) -> list[Any]:
    """Run ``main`` of modules that are nowhere but here."""
    made: dict[str, Any] = {}

    def find(name: str, _globals: Any = None, _locals: Any = None, wanted: Any = (), _level: int = 0) -> Any:
        if not name.startswith("agent"):
            return __import__(name, _globals, _locals, wanted)
        if name in sources and name not in made:
            made[name] = module = type(ast)(name)
            module.__dict__["__builtins__"] = {**vars(__import__("builtins")), "__import__": find}
            exec(sources[name], module.__dict__)  # noqa: S102 - the sources above
        if name != "agent" and name not in made:
            raise ImportError(name)
        found = made.setdefault(name, type(ast)(name))
        for each in wanted or ():
            if f"{name}.{each}" in sources:
                setattr(found, each, find(f"{name}.{each}", None, None, ("x",)))
        return found

    main = find("agent.__main__", None, None, ("main",)).main
    return [main(5), main(7, doubled=True)]


def test_it_does_the_same():
    smaller = shrink(SOURCES, {"main", "doubled"})
    assert run(smaller) == run(SOURCES)


def test_what_is_loaded_together_is_one_module_and_what_comes_later_another():
    assert sorted(shrink(SOURCES, {"main", "doubled"})) == ["agent.__main__", "agent.late"]


def test_nothing_is_left_that_nobody_uses():
    text = "".join(shrink(SOURCES, {"main", "doubled"}).values())
    for gone in (
        "unused",
        "forgotten",
        "_seen",
        "Documentation",
        "TYPE_CHECKING",
        "nowhere",
        "Counter",
    ):
        assert gone not in text, gone
    for kept in ("told", "doubled", "def main"):
        assert kept in text


def test_comprehensions_are_loops_and_failures_have_one_text():
    sources = {
        "agent.__main__": (
            "from agent.parts import check\n"
            "async def main(n):\n    for each in [check(m) for m in n]:\n"
            "        await each({each: 1 for each in n})"
        ),
        "agent.parts": (
            "def check(n):\n    if n:\n        return n\n    raise ValueError('there is nothing to check')"
        ),
    }
    (text,) = shrink(sources, {"main"}).values()
    nodes = list(ast.walk(ast.parse(text)))
    assert not [node for node in nodes if isinstance(node, (ast.ListComp, ast.DictComp))]
    assert b"there is nothing to check\0" in [n.value for n in nodes if isinstance(n, ast.Constant)]
    assert "there is nothing to check" not in [n.value for n in nodes if isinstance(n, ast.Constant)]


@pytest.mark.parametrize("case", NEAR_MISSES)
def test_what_looks_like_a_rules_case_and_is_none_does_the_same(case: str) -> None:
    main, parts = NEAR_MISSES[case]
    sources = {"agent.__main__": main, "agent.parts": parts, "agent.words": "LIMIT = 6"}
    assert run(shrink(sources, {"main", "doubled"})) == run(sources)


@pytest.mark.parametrize("case", UNSAFE)
def test_what_cannot_be_followed_stops_the_build(case: str) -> None:
    main, parts, words = UNSAFE[case]
    with pytest.raises(UnsafeError, match=words):
        shrink({"agent.__main__": main, "agent.parts": parts}, {"main"})
