"""Put the values of constants where their names are read.

A name counts as a constant when its module gives it a value once, at the top, from literals alone; the value
then is the same at every time of reading. A function's own name that is spelt alike is another (``Scoped``
tells them apart). A long text or number that is used often stays a name: it would be stored at each place.
"""

from __future__ import annotations

import ast
from collections import Counter
from typing import TYPE_CHECKING

from tools.shrink.homes import imports_at_start
from tools.shrink.imports import drop_imports
from tools.shrink.scopes import Definition, Scoped

if TYPE_CHECKING:
    from tools.shrink.scopes import Program

MOST_SHARED = 10  # characters of a text that MicroPython keeps once, however often it is used


class Constants:
    """The modules' names for numbers and texts that never change."""

    def __init__(self, program: Program, kept: frozenset[str]) -> None:
        self._program = program
        self._kept = kept
        self._values: dict[tuple[str, str], ast.expr] = {}
        self._uses = _Uses(program)

    def fold(self) -> None:
        """Put values in place of names until nothing changes."""
        before = -1
        while before != len(self._values):
            before = len(self._values)
            self._uses = _Uses(self._program)
            for module, tree in self._program.items():
                self._collect(module, tree)
            for module, tree in self._program.items():
                _Substitute(self._known(module, tree)).visit(tree)
        drop_imports(self._program)
        imported = _Uses(self._program).imported
        for module, tree in self._program.items():
            gone = {name for home, name in self._values if home == module and not imported[module, name]}
            gone -= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
            tree.body = [node for node in tree.body if _assigned(node) not in gone]

    def _collect(self, module: str, tree: ast.Module) -> None:
        for node in tree.body:
            name = _assigned(node)
            if name is None or name in self._kept or name.startswith("__") or (module, name) in self._values:
                continue
            value = _literal(node.value) if isinstance(node, ast.Assign) else None
            if value is not None and _times_stored(tree, name) == 1 and self._is_cheap(module, name, value):
                self._values[module, name] = value

    def _is_cheap(self, module: str, name: str, value: ast.expr) -> bool:
        constant = value.operand if isinstance(value, ast.UnaryOp) else value
        if not isinstance(constant, ast.Constant):
            return False
        if constant.value is None or isinstance(constant.value, bool):
            return True
        if isinstance(constant.value, int):
            return abs(constant.value) < 1 << 30 or self._uses.of(module, name) == 1
        if isinstance(constant.value, str) and len(constant.value) <= MOST_SHARED:
            return True
        return self._uses.of(module, name) <= 1

    def _known(self, module: str, tree: ast.Module) -> dict[str, ast.expr]:
        """Return the constants by the names that they have in a module, its own and imported ones."""
        known = {name: value for (home, name), value in self._values.items() if home == module}
        for node in imports_at_start(tree):  # what a function imports is the function's own name
            for alias in node.names:
                value = self._values.get((str(node.module), alias.name))
                if value is not None:
                    known[alias.asname or alias.name] = value
        return known


class _Uses:
    """How often names, whosever they are, are read or imported: all counted in one walk."""

    def __init__(self, program: Program) -> None:
        self.imported: Counter[tuple[str | None, str]] = Counter()
        self._read: Counter[str] = Counter()
        self._imported_of_all: Counter[str] = Counter()
        for tree in program.values():
            for node in ast.walk(tree):
                self._count(node)

    def of(self, module: str, name: str) -> int:
        """Return the uses of a module's name."""
        return self._read[name] + 9 * (self._imported_of_all[name] - self.imported[module, name])

    def _count(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            self._read[node.id] += 1
        elif isinstance(node, ast.Attribute):
            self._read[node.attr] += 1
        elif isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names}
            self._imported_of_all.update(names)
            self.imported.update((node.module, name) for name in names)


class _Substitute(Scoped):
    """Puts constants in the place of their names."""

    def __init__(self, known: dict[str, ast.expr]) -> None:
        super().__init__()
        self._known = known

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if isinstance(node.ctx, ast.Load) and node.id in self._known and self.is_global(node.id):
            return self._known[node.id]
        return node


def _assigned(node: ast.stmt) -> str | None:
    """Return the name that a statement gives a value, if it is one name."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return None


def _times_stored(tree: ast.Module, name: str) -> int:
    found = sum(name in node.names for node in ast.walk(tree) if isinstance(node, ast.Global))
    for node in tree.body:
        found += isinstance(node, Definition) and node.name == name
        for each in ast.walk(node) if not isinstance(node, Definition) else ():
            found += isinstance(each, ast.alias) and (each.asname or each.name) == name
            found += isinstance(each, ast.Name) and each.id == name and not isinstance(each.ctx, ast.Load)
    return found


def _literal(value: ast.expr) -> ast.expr | None:
    """Return a sum of literals as one literal; None for what is none."""
    operations = (ast.BinOp, ast.UnaryOp, ast.Constant, ast.operator, ast.unaryop)
    if not all(isinstance(node, operations) for node in ast.walk(value)):
        return None
    worth = eval(compile(ast.fix_missing_locations(ast.Expression(value)), "", "eval"))  # noqa: S307 - literals
    if isinstance(worth, (int, float)) and not isinstance(worth, bool) and worth < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-worth))
    return ast.Constant(worth)
