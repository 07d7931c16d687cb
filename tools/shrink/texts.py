"""Put the texts that only a failure needs into one: each of its own is 40 bytes of a router's heap.

Those are the texts of ``raise`` and of what is logged, unless they are short (MicroPython keeps such a one
with the names) or the module has them for something else too. The one text lies in the image; a piece of it
is made when it is needed.
"""

from __future__ import annotations

import ast
from collections import Counter
from typing import TYPE_CHECKING

from tools.shrink.constants import MOST_SHARED
from tools.shrink.unsafe import UnsafeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.shrink.scopes import Program

HOME = "agent.failure_texts"
LOGGING = ("trouble", "info")
SOURCE = """
def failure_text(begin):
    texts = {}
    return texts[begin : texts.find(b"\\0", begin)].decode()
"""


def gather_texts(program: Program) -> None:
    """Put the texts of failures into a module of their own."""
    places: dict[str, int] = {}
    every = b""
    for module, tree in program.items():
        found = _of_failures(module, tree)
        for text in sorted(set(found.values())):
            if text not in places:
                places[text] = len(every)
                every += text.encode() + b"\0"
        if found:
            _Gathered(found, places).visit(tree)
            tree.body.insert(0, ast.ImportFrom(HOME, [ast.alias("failure_text")], 0))
    if places:
        program[HOME] = ast.parse(SOURCE.format(repr(every)))


def _of_failures(module: str, tree: ast.Module) -> dict[int, str]:
    """Return the texts that nothing but failures of a module needs, by the ids of their nodes."""
    uses = Counter(_long_texts(tree).values())
    found: dict[int, str] = {}
    for part in _failures(tree):
        found |= _long_texts(part)
    if any("\0" in text for text in found.values()):
        raise UnsafeError(module, None, "a text with a zero")
    of_failures = Counter(found.values())
    return {key: text for key, text in found.items() if uses[text] == of_failures[text]}


def _failures(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise):
            yield node
        elif (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOGGING
        ):
            yield from node.args


def _long_texts(tree: ast.AST) -> dict[int, str]:
    """Return the texts that MicroPython does not keep with the names, by the ids of their nodes."""
    return {
        id(node): node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) > MOST_SHARED
    }


class _Gathered(ast.NodeTransformer):
    """Asks for a text where it stood."""

    def __init__(self, found: dict[int, str], places: dict[str, int]) -> None:
        self._found, self._places = found, places

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        text = self._found.get(id(node))
        if text is None:
            return node
        return ast.Call(ast.Name("failure_text", ast.Load()), [ast.Constant(self._places[text])], [])

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        """Leave a text alone that is a part of another."""
        return node
