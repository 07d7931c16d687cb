"""Whose a name is: of the module, of a class, or of a function around it, as far as the agent goes."""

from __future__ import annotations

import ast
import keyword
import string
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Scope = Function | ast.Lambda | Comprehension
Definition = Function | ast.ClassDef
Program = dict[str, ast.Module]  # modules by name


def is_of_program(node: ast.AST) -> TypeGuard[ast.ImportFrom]:
    """Tell whether a node imports something of the agent's own."""
    return isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "agent"


def short_names(prefix: str = "") -> Iterator[str]:
    """Give a, b, ... z, aa, ab, ... az, aA, ... with a prefix."""
    letters = string.ascii_lowercase
    for first in ["", *letters]:
        for letter in letters + (string.ascii_uppercase if first else ""):
            if not keyword.iskeyword(prefix + first + letter):
                yield prefix + first + letter


def names_in(tree: ast.AST, but: Container[int] = ()) -> set[str]:
    """Return every name in a module, whatever it stands for, ``but`` those of nodes with these ids."""
    found = set()
    for node in ast.walk(tree):
        if id(node) in but:
            continue
        for field in ("id", "attr", "arg", "name", "module", "asname"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                found.add(value)
    return found


def statement_lists(node: ast.AST) -> Iterator[tuple[str, list[ast.stmt]]]:
    """Give the lists of statements that a statement holds: what comes after ``else`` too."""
    for field in ("body", "orelse", "finalbody"):
        found = getattr(node, field, None)
        if isinstance(found, list):
            yield field, found


def bound_names(scope: Scope | ast.ClassDef) -> set[str]:
    """Return the names that are a function's (lambda's, comprehension's, class') own."""
    names: set[str] = set()
    body: list[ast.AST]
    if isinstance(scope, Comprehension):
        body = [generator.target for generator in scope.generators]
    else:
        body = [*scope.body] if isinstance(scope.body, list) else [scope.body]
    if not isinstance(scope, (ast.ClassDef, Comprehension)):
        names |= {node.arg for node in ast.walk(scope.args) if isinstance(node, ast.arg)}
    elsewhere: set[str] = set()
    for node in body:
        bind(node, names, elsewhere)
    return names - elsewhere


def bind(node: ast.AST, names: set[str], elsewhere: set[str]) -> None:
    """Add the names that a statement gives a value to ``names``, those declared global to ``elsewhere``."""
    if isinstance(node, Definition):
        names.add(node.name)
        return
    if isinstance(node, Scope):
        return
    if isinstance(node, (ast.Global, ast.Nonlocal)):
        elsewhere.update(node.names)
    elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        names.add(node.id)
    elif isinstance(node, ast.ExceptHandler) and node.name:
        names.add(node.name)
    elif isinstance(node, ast.alias):
        names.add((node.asname or node.name).split(".")[0])
    for child in ast.iter_child_nodes(node):
        bind(child, names, elsewhere)


class Scoped(ast.NodeTransformer):
    """A transformer that knows, at each name, whether something inside what it visits has that name."""

    def __init__(self) -> None:
        self._own: list[set[str]] = []
        self._class: set[str] | None = None  # names of the class whose body is visited now

    def is_global(self, name: str) -> bool:
        """Tell whether nothing around this place has the name for itself."""
        return not any(name in names for names in self._own) and name not in (self._class or ())

    def inside(self) -> bool:
        """Tell whether this place is in a function."""
        return bool(self._own)

    def own_names(self, node: Scope) -> set[str]:
        """Return the names that a function has for itself."""
        return bound_names(node)

    def enter_definition(self, node: Definition) -> None:
        """See a definition before what is in it."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.enter_definition(node)
        node.bases = [self.visit(each) for each in node.bases]
        node.decorator_list = [self.visit(each) for each in node.decorator_list]
        around, self._class = self._class, bound_names(node)
        node.body = self._statements(node.body)
        self._class = around
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        node.args = self.visit(node.args)
        self._own.append(self.own_names(node))
        node.body = self.visit(node.body)
        self._own.pop()
        return node

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        return self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        return self._comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        return self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        return self._comprehension(node)

    def _function(self, node: Function) -> ast.AST:
        self.enter_definition(node)
        node.decorator_list = [self.visit(each) for each in node.decorator_list]
        node.args = self.visit(node.args)
        around, self._class = self._class, None
        self._own.append(self.own_names(node))
        node.body = self._statements(node.body)
        self._own.pop()
        self._class = around
        return node

    def _statements(self, body: list[ast.stmt]) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        for each in body:
            new = self.visit(each)
            found += new if isinstance(new, list) else [new] if new is not None else []
        return found or [ast.Pass()]

    def _comprehension(self, node: Comprehension) -> ast.AST:
        first = node.generators[0]
        outside = self.visit(first.iter)  # the one part that is outside
        first.iter = ast.Constant(None)
        self._own.append(self.own_names(node))
        self.generic_visit(node)
        first.iter = outside
        self._own.pop()
        return node
