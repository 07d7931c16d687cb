"""Which modules are always loaded together, and so become one.

What the program begins with, and all that it imports outside functions, is one module. Every module that is
imported inside a function is an entry; modules that the same entries need are one, so that none is loaded
earlier than before, nor twice. Within one, what is needed comes first, as it was when each was loaded.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tools.shrink.scopes import is_of_program

if TYPE_CHECKING:
    from tools.shrink.scopes import Program


def imports_at_start(tree: ast.Module) -> list[ast.ImportFrom]:
    """Return the imports of the program's own names outside functions."""
    found: list[ast.ImportFrom] = []
    rest: list[ast.AST] = [*tree.body]
    while rest:
        node = rest.pop(0)
        if is_of_program(node):
            found.append(node)
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            rest.extend(ast.iter_child_nodes(node))
    return found


def homes_of(program: Program, begin: str, loaded: list[str]) -> dict[str, str]:
    """Return each module's new one."""
    early = {name: [str(node.module) for node in imports_at_start(tree)] for name, tree in program.items()}
    later: set[str] = set()
    for tree in program.values():
        at_start = imports_at_start(tree)
        later |= {str(node.module) for node in ast.walk(tree) if is_of_program(node) and node not in at_start}
    later |= {name for name in program if name not in _ordered(early, [*sorted(later), *loaded])}
    later -= set(loaded)
    first = set(_ordered(early, loaded))
    groups: dict[frozenset[str], list[str]] = {}
    for name in _ordered(early, sorted(later)):
        if name not in first:
            groups.setdefault(frozenset(_entries(name, later, early)), []).append(name)
    homes = dict.fromkeys(_ordered(early, loaded), begin)
    for group in groups.values():
        flat = group[-1].split(".", 1)[1].replace(".", "_")
        homes |= dict.fromkeys(group, "agent." + flat)
    return homes


def _entries(name: str, later: set[str], early: dict[str, list[str]]) -> set[str]:
    return {entry for entry in later if name in _ordered(early, [entry])}


def _ordered(early: dict[str, list[str]], wanted: list[str]) -> list[str]:
    """Return modules with all that they need, what is needed first."""
    done: list[str] = []

    def visit(name: str) -> None:
        if name not in done and name in early:
            for other in early[name]:
                if other != name:
                    visit(other)
            done.append(name)

    for name in wanted:
        visit(name)
    return done
