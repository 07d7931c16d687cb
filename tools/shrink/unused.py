"""Leave out functions, classes and methods that nobody uses.

"Used" is taken widely: a definition stays when its name is read, is an attribute of anything, or is a text,
anywhere in the program. So do methods with names of Python's own (``write``, ``__aenter__``), which a library
may call.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tools.shrink.foreign import FOREIGN
from tools.shrink.scopes import Definition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.shrink.scopes import Program


def called_by_text(program: Program) -> frozenset[str]:
    """Return the names that getattr and hasattr are asked for."""
    found = set()
    for tree in program.values():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id.endswith("attr")
            ):
                found |= {word.value for word in node.args if isinstance(word, ast.Constant)}
    return frozenset(str(name) for name in found)


def drop_unused(program: Program, kept: frozenset[str]) -> None:
    """Leave out definitions whose name appears nowhere but where they are defined."""
    while True:
        used = kept | {name for tree in program.values() for name in _mentioned(tree)}
        dropped = sum(_drop(tree, used) for tree in program.values())
        if not dropped:
            return


def _mentioned(tree: ast.Module) -> Iterator[str]:
    """Name what is read, called by attribute or text, or imported for use (an import alone is none)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.alias) and node.asname:
            yield node.name


def _drop(holder: ast.Module | ast.ClassDef, used: frozenset[str]) -> int:
    before = len(holder.body)
    holder.body = [
        node
        for node in holder.body
        if not isinstance(node, Definition)
        or node.name in used
        or node.name.startswith("__")
        or node.name in FOREIGN
    ]
    dropped = before - len(holder.body)
    for node in holder.body:
        if isinstance(node, ast.ClassDef):
            dropped += _drop(node, used)
    holder.body = holder.body or [ast.Pass()]
    return dropped
