"""Import single names from where they are defined, and only those that are used.

Both changes are safe as long as nobody gives a module's name a new value after it was loaded: then a name
imported and ``module.name`` are the same thing, from whichever module it is taken.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tools.shrink.scopes import Scope, Scoped, is_of_program, statement_lists
from tools.shrink.unsafe import UnsafeError

if TYPE_CHECKING:
    from tools.shrink.scopes import Program


def drop_imports(program: Program) -> None:
    """Leave out imports of names that nobody uses (not those that try what is there)."""
    for tree in program.values():
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        for holder in ast.walk(tree):
            body = getattr(holder, "body", None)
            if isinstance(holder, ast.Try) or not isinstance(body, list):
                continue
            for node in body:
                if is_of_program(node):
                    node.names = [alias for alias in node.names if (alias.asname or alias.name) in used]
            left = [node for node in body if not isinstance(node, ast.ImportFrom) or node.names]
            holder.body = left or [ast.Pass()]  # type: ignore[attr-defined]  # as asked above


def import_from_home(program: Program) -> None:
    """Let names be imported from the module that defines them, not from one that hands them on."""
    handed_on = {
        (module, alias.asname or alias.name): (str(node.module), alias.name)
        for module, tree in program.items()
        for node in tree.body
        if is_of_program(node)
        for alias in node.names
        if f"{node.module}.{alias.name}" not in program
    }
    for tree in program.values():
        for node in ast.walk(tree):
            for field, body in statement_lists(node):
                setattr(node, field, [new for each in body for new in _from_home(each, handed_on)])


def _from_home(node: ast.stmt, handed_on: dict[tuple[str, str], tuple[str, str]]) -> list[ast.stmt]:
    if not is_of_program(node):
        return [node]
    found: dict[str, list[ast.alias]] = {}
    for alias in node.names:
        home, name = str(node.module), alias.name
        while (home, name) in handed_on:
            home, name = handed_on[home, name]
        here = alias.asname or alias.name
        found.setdefault(home, []).append(ast.alias(name, None if here == name else here))
    return [ast.ImportFrom(home, names, 0) for home, names in found.items()]


def import_names(program: Program) -> None:
    """Let modules import names instead of whole modules: ``cose.SIGN`` becomes ``cose__SIGN``."""
    for module, tree in program.items():
        whole = {
            alias.asname or alias.name: f"{node.module}.{alias.name}"
            for node in ast.walk(tree)
            if is_of_program(node)
            for alias in node.names
            if f"{node.module}.{alias.name}" in program
        }
        asked: dict[str, set[str]] = {here: set() for here in whole}
        _Members(module, asked).visit(tree)
        for holder in ast.walk(tree):
            for field, body in statement_lists(holder):
                setattr(holder, field, [new for each in body for new in _by_name(each, whole, asked)])


def _by_name(node: ast.stmt, whole: dict[str, str], asked: dict[str, set[str]]) -> list[ast.stmt]:
    if not is_of_program(node):
        return [node]
    found: list[ast.stmt] = []
    for alias in node.names:
        here = alias.asname or alias.name
        if here in whole and whole[here] == f"{node.module}.{alias.name}":
            names = [ast.alias(name, f"{here}__{name}") for name in sorted(asked[here])]
            found += [ast.ImportFrom(whole[here], names, 0)] if names else []
        else:
            found.append(ast.ImportFrom(node.module, [alias], 0))
    return found


class _Members(Scoped):
    """Turns ``module.name`` into one name."""

    def __init__(self, module: str, asked: dict[str, set[str]]) -> None:
        super().__init__()
        self._module = module
        self._asked = asked

    def own_names(self, node: Scope) -> set[str]:
        imports = [each for each in ast.walk(node) if is_of_program(each)]
        return super().own_names(node) - {
            alias.asname or alias.name for each in imports for alias in each.names
        }

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if (
            isinstance(node.value, ast.Name)
            and node.value.id in self._asked
            and self.is_global(node.value.id)
        ):
            if not isinstance(node.ctx, ast.Load):
                raise UnsafeError(self._module, node, "a module's name gets a value from outside")
            self._asked[node.value.id].add(node.attr)
            return ast.Name(f"{node.value.id}__{node.attr}", node.ctx)
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self._asked and self.is_global(node.id):
            raise UnsafeError(self._module, node, node.id + " is a module and used as a value")
        return node
