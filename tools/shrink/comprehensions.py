"""Write list, dict and set comprehensions as loops in their function.

MicroPython makes a function of each comprehension, 64 bytes of a router's heap for as long as it runs, and a
closure whenever one is reached. The loop stands before the statement that had the comprehension, so that one
stays where it is when

* its statement might not reach it (``and``, ``or``, ``if``-``else``, ``lambda``, the condition of ``while``),
* something with an effect is done before it there (a call, ``await``; names and texts have none), or an
  attribute is read, other than the method that is called with it,
* a lambda in it would keep a variable of the loop.

Generators stay as they are: they may stop early. The loop's variables get names that the function has not.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tools.shrink.scopes import Comprehension, Function, Scope, bound_names, short_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tools.shrink.scopes import Program

LOOPS = (ast.ListComp, ast.SetComp, ast.DictComp)
# statements whose expressions are all reached, once, before anything else of them
PLAIN = (ast.Return, ast.Assign, ast.AugAssign, ast.Expr, ast.If, ast.For, ast.Raise, ast.Delete)
# expressions whose parts are all reached, in order, and which have no effect of their own, nor feel any
STILL = (ast.Name, ast.Constant, ast.expr_context, ast.Tuple, ast.List, ast.Starred, ast.keyword,
         ast.operator, ast.unaryop, ast.cmpop)  # fmt: skip
# the same, but what comes after them comes after an effect, or it may change what they are
ACTING = (ast.Call, ast.BinOp, ast.UnaryOp, ast.Subscript, ast.Compare, ast.Dict, ast.Set, ast.Await,
          ast.Attribute)  # fmt: skip


def write_loops(program: Program) -> None:
    """Write what comprehensions can be loops as such."""
    for tree in program.values():
        for node in ast.walk(tree):
            if isinstance(node, Function):
                _InFunction(node).write()


class _InFunction:
    """The comprehensions of one function, not of those in it."""

    def __init__(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._function = function
        taken = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
        taken |= {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
        self._free = (name for name in short_names("l_") if name not in taken)
        self._stays = isinstance(function, ast.AsyncFunctionDef) or any(
            isinstance(node, (ast.Yield, ast.YieldFrom)) for node in ast.walk(function)
        )

    def write(self) -> None:
        self._function.body = self._block(self._function.body)

    def _block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        for node in body:
            found += self._statement(node)
        return found

    def _statement(self, node: ast.stmt) -> list[ast.stmt]:
        """Return a statement with the loops that go before it."""
        if isinstance(node, Function | ast.ClassDef):
            return [node]
        before: list[ast.stmt] = []
        after: list[ast.stmt] = []
        comprehension = _first(node) if isinstance(node, PLAIN) else None
        while comprehension is not None:
            name = next(self._free)
            before += self._loop(comprehension, name)
            _Put(comprehension, name).visit(node)
            if self._stays and not isinstance(node, (ast.Return, ast.Raise)):  # or the frame would keep it
                after.append(ast.Assign([ast.Name(name, ast.Store())], ast.Constant(None)))
            comprehension = _first(node)
        for field in ("body", "orelse", "finalbody"):
            inner = getattr(node, field, None)
            if isinstance(inner, list) and inner and isinstance(inner[0], ast.stmt):
                setattr(node, field, self._block(inner))
        for handler in getattr(node, "handlers", ()):
            handler.body = self._block(handler.body)
        return [*before, node, *after]

    def _loop(self, node: ast.ListComp | ast.SetComp | ast.DictComp, name: str) -> list[ast.stmt]:
        """Return what makes a comprehension's value, under a name."""
        new = {old: next(self._free) for old in sorted(bound_names(node))}
        first = node.generators[0].iter
        inner: list[ast.stmt] = [_filled(node, name)]
        for generator in reversed(node.generators):
            for test in reversed(generator.ifs):
                inner = [ast.If(test, inner, [])]
            inner = [ast.For(generator.target, generator.iter, inner, [])]
        outer = inner[0]
        assert isinstance(outer, ast.For)  # noqa: S101 - made above
        outer.iter = ast.Constant(None)  # outside the comprehension: keeps its names
        _Names(new).visit(outer)
        outer.iter = first
        return [ast.Assign([ast.Name(name, ast.Store())], _empty(node)), *self._statement(outer)]


def _empty(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.ListComp):
        return ast.List([], ast.Load())
    if isinstance(node, ast.DictComp):
        return ast.Dict([], [])
    return ast.Call(ast.Name("set", ast.Load()), [], [])


def _filled(node: ast.ListComp | ast.SetComp | ast.DictComp, name: str) -> ast.stmt:
    """Return the statement that takes one element."""
    value = ast.Name(name, ast.Load())
    if isinstance(node, ast.DictComp):
        return ast.Assign([ast.Subscript(value, node.key, ast.Store())], node.value)
    method = "append" if isinstance(node, ast.ListComp) else "add"
    return ast.Expr(ast.Call(ast.Attribute(value, method, ast.Load()), [node.elt], []))


def _first(statement: ast.stmt) -> ast.ListComp | ast.SetComp | ast.DictComp | None:
    """Return the comprehension that a statement reaches first, if all before it has no effect."""
    for node in _in_order(statement):
        if isinstance(node, LOOPS):
            return None if any(isinstance(part, ast.Lambda) for part in ast.walk(node)) else node
        if node is None:
            return None
    return None


def _in_order(node: ast.AST) -> Iterator[ast.AST | None]:
    """Give the comprehensions of a statement as they are reached; None where it is not known what follows."""
    if isinstance(node, LOOPS):
        yield node
        return
    for child in _parts(node):
        yield from _in_order(child)
    if not isinstance(node, (*PLAIN, *STILL)):
        yield None


def _parts(node: ast.AST) -> Iterable[ast.AST]:
    """Return what is certainly reached of a statement or expression, in order."""
    if isinstance(node, ast.Assign):
        return [node.value]
    if isinstance(node, ast.AugAssign):
        return [node.value] if isinstance(node.target, ast.Name) else []
    if isinstance(node, (ast.If, ast.For)):
        return [node.test if isinstance(node, ast.If) else node.iter]
    if isinstance(node, ast.Compare):
        return [node.left, node.comparators[0]]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return [node.func.value, *node.args, *node.keywords]
    return ast.iter_child_nodes(node) if isinstance(node, (*PLAIN, *STILL, *ACTING)) else []


class _Put(ast.NodeTransformer):
    """Puts a name in the place of a comprehension."""

    def __init__(self, old: ast.expr, name: str) -> None:
        self._old, self._name = old, name

    def generic_visit(self, node: ast.AST) -> ast.AST:
        return ast.Name(self._name, ast.Load()) if node is self._old else super().generic_visit(node)


class _Names(ast.NodeTransformer):
    """Gives the variables of a comprehension new names, where nothing inside it has the name for itself."""

    def __init__(self, new: dict[str, str]) -> None:
        self._new = new

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._new.get(node.id, node.id)
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if not isinstance(node, Scope):
            return super().generic_visit(node)
        own = bound_names(node)
        inner = _Names({old: new for old, new in self._new.items() if old not in own})
        if isinstance(node, Comprehension):  # the first part of one is outside it
            node.generators[0].iter = self.visit(node.generators[0].iter)
        return super(_Names, inner).generic_visit(node)
