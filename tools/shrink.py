"""Make the agent's source smaller before it is compiled for a router; what it does stays the same.

Every name that a program knows by itself is an entry of 11 bytes in MicroPython's table of strings and often
one of 16 in a dictionary, in a heap of 256 KiB; in the bytecode it is text. So, for all modules together:

* what is for the type checker alone, and texts that nobody reads, are left out;
* constants stand where they are used;
* functions, classes and methods whose name appears nowhere else are left out;
* what one module alone knows (functions, classes, attributes) and parameters that nobody names in a call get
  short names, the same ones in every module.

What could be reached by a name in a text (``getattr``), by a keyword or from another module keeps its name.
"""

from __future__ import annotations

import ast
import asyncio
import gc
import hashlib
import io
import json
import os
import re
import socket
import struct
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from tools.shrink_bundle import bundle
from tools.shrink_scopes import Definition, Function, Scope, Scoped, is_of_program, names_in, short_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Program = dict[str, ast.Module]

MOST_SHARED = 10  # characters of a text that MicroPython keeps once, however often it is used
_BUILT_IN = (str, bytes, bytearray, memoryview, list, dict, set, tuple, int, float, BaseException, io.BytesIO)
_LIBRARIES = (asyncio, gc, hashlib, json, os, re, socket, struct, sys, time, socket.socket, asyncio.Task,
              asyncio.StreamReader, asyncio.StreamWriter, asyncio.Event, asyncio.Lock, OSError)  # fmt: skip
FOREIGN = frozenset(name for thing in _BUILT_IN + _LIBRARIES for name in dir(thing) if name[0] != "_")
BEGIN = "agent.__main__"
# imported inside a function, where another interpreter has something else, and loaded in any case
ALWAYS = ("agent.ports.clock", "agent.signer", "agent.transport.mqtt_client", "agent.transport.resolver",
          "agent.transport.tls", "agent.ports.signals")  # fmt: skip


def shrink(sources: dict[str, str], keep: Iterable[str] = ()) -> dict[str, str]:
    """Return the sources (by the module's name), smaller; the names ``keep`` stay whatever they are."""
    program = {name: Bare().visit(ast.parse(text)) for name, text in sources.items()}
    kept = frozenset(keep) | called_by_text(program)
    import_names(program)
    import_from_home(program)
    Constants(program, kept).fold()
    drop_unused(program, kept)
    drop_imports(program)
    rename_private(program, kept)
    program = bundle(program, BEGIN, ALWAYS, kept)
    keywords = kept | {
        word.arg
        for tree in program.values()
        for word in ast.walk(tree)
        if isinstance(word, ast.keyword) and word.arg
    }
    for tree in program.values():
        rename_parameters(tree, keywords)
    return {
        name: ast.unparse(ast.fix_missing_locations(tree)) + "\n"
        for name, tree in program.items()
        if tree.body
    }


class Bare(ast.NodeTransformer):
    """Leaves out annotations, documentation and what is under TYPE_CHECKING."""

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return node.orelse
        return node

    def visit_Try(self, node: ast.Try) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        first = node.body[0]
        if isinstance(first, ast.ImportFrom) and str(first.module).startswith("agent.cpython"):
            return node.handlers[0].body
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        return None if names in (["TYPE_CHECKING"], ["__all__"]) else node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        return ast.Assign(targets=[node.target], value=node.value)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._definition(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._definition(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._definition(node)

    def _definition(self, node: Definition) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node, ast.ClassDef):
            node.returns = None
        ends = [at for at, each in enumerate(node.body) if isinstance(each, (ast.Return, ast.Raise))]
        node.body = node.body[: ends[0] + 1] if ends else node.body or [ast.Pass()]
        return node


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


# --- constants ----------------------------------------------------------------------------------


class Constants:
    """The modules' names for numbers and texts that never change."""

    def __init__(self, program: Program, kept: frozenset[str]) -> None:
        self._program = program
        self._kept = kept
        self._values: dict[tuple[str, str], ast.expr] = {}

    def fold(self) -> None:
        """Put values in place of names until nothing changes."""
        before = -1
        while before != len(self._values):
            before = len(self._values)
            for module, tree in self._program.items():
                self._collect(module, tree)
            for module, tree in self._program.items():
                _Substitute(self._known(module, tree)).visit(tree)
        drop_imports(self._program)
        for module, tree in self._program.items():
            gone = {name for home, name in self._values if home == module} - self._imported(module)
            gone -= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
            tree.body = [node for node in tree.body if _assigned(node) not in gone]

    def _imported(self, module: str) -> set[str]:
        """Return what others import of a module by name."""
        found = set()
        for tree in self._program.values():
            for node in ast.walk(tree):
                if isinstance(node, ast.ImportFrom) and node.module == module:
                    found |= {alias.name for alias in node.names}
        return found

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
            return abs(constant.value) < 1 << 30 or self._uses(module, name) == 1
        if isinstance(constant.value, str) and len(constant.value) <= MOST_SHARED:
            return True
        return self._uses(module, name) <= 1

    def _uses(self, module: str, name: str) -> int:
        """Return how often the name, whosever it is, is read or imported."""
        found = 0
        for tree in self._program.values():
            for node in ast.walk(tree):
                found += isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
                found += isinstance(node, ast.Attribute) and node.attr == name
                if isinstance(node, ast.ImportFrom) and node.module != module:
                    found += 9 * any(alias.name == name for alias in node.names)
        return found

    def _known(self, module: str, tree: ast.Module) -> dict[str, ast.expr]:
        """Return the constants by the names that they have in a module, its own and imported ones."""
        known = {name: value for (home, name), value in self._values.items() if home == module}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    value = self._values.get((str(node.module), alias.name))
                    if value is not None:
                        known[alias.asname or alias.name] = value
        return known


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
        for each in ast.walk(node) if not isinstance(node, Definition) else ():
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


# --- what nobody uses ---------------------------------------------------------------------------


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
            body = getattr(node, "body", None)
            if isinstance(body, list):
                node.body = [new for each in body for new in _from_home(each, handed_on)]  # type: ignore[attr-defined]  # it has one


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
    for tree in program.values():
        whole = {
            alias.asname or alias.name: f"{node.module}.{alias.name}"
            for node in ast.walk(tree)
            if is_of_program(node)
            for alias in node.names
            if f"{node.module}.{alias.name}" in program
        }
        asked: dict[str, set[str]] = {here: set() for here in whole}
        _Members(asked).visit(tree)
        for holder in ast.walk(tree):
            body = getattr(holder, "body", None)
            if isinstance(body, list):
                holder.body = [new for each in body for new in _by_name(each, whole, asked)]  # type: ignore[attr-defined]  # it has one


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

    def __init__(self, asked: dict[str, set[str]]) -> None:
        super().__init__()
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
            self._asked[node.value.id].add(node.attr)
            return ast.Name(f"{node.value.id}__{node.attr}", node.ctx)
        return self.generic_visit(node)


# --- names --------------------------------------------------------------------------------------


def rename_private(program: Program, kept: frozenset[str]) -> None:
    """Give short names to what one module alone knows."""
    where: Counter[str] = Counter()
    for tree in program.values():
        where.update(names_in(tree))
    for tree in program.values():
        own = {name for name in names_in(tree) if where[name] == 1 or _is_private(name)}
        own -= kept | FOREIGN
        if not _inherits(tree):
            Private(tree, own).visit(tree)


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


class Private(ast.NodeTransformer):
    """The members of one module's classes that nobody else knows."""

    def __init__(self, tree: ast.Module, own: set[str]) -> None:
        used = Counter(node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute))
        members = {name for name in _members_of(tree) if name in own} - _class_reads(tree)
        taken = names_in(tree)
        free = (name for name in short_names("_") if name not in taken)
        self._names = dict(zip(sorted(members, key=lambda name: (-used[name], name)), free, strict=False))

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        node.attr = self._names.get(node.attr, node.attr)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        for each in node.body:
            if isinstance(each, Definition):
                each.name = self._names.get(each.name, each.name)
            for target in each.targets if isinstance(each, ast.Assign) else ():
                if isinstance(target, ast.Name):
                    target.id = self._names.get(target.id, target.id)
        return self.generic_visit(node)


def _members_of(tree: ast.Module) -> set[str]:
    """Return the attributes that a module's classes define."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            found |= _class_names(node)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_self(node.value):
            found.add(node.attr)
    return {name for name in found if not name.startswith("__")}


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _inherits(tree: ast.Module) -> bool:
    """Tell whether a class is made of another module's, whose members' short names must not be met again."""
    imported = {
        alias.asname or alias.name for node in ast.walk(tree) if is_of_program(node) for alias in node.names
    }
    bases = [base for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for base in node.bases]
    return any(isinstance(base, ast.Name) and base.id in imported for base in bases)


def _class_names(node: ast.ClassDef) -> set[str]:
    return {name for each in node.body for name in _defined(each)}


def _class_reads(tree: ast.Module) -> set[str]:
    """Return names that a class reads while it is made: a member's and a global's name there are alike."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for each in node.body:
                if isinstance(each, Function):
                    parts: list[ast.AST] = [
                        *each.decorator_list,
                        *each.args.defaults,
                        *filter(None, each.args.kw_defaults),
                    ]
                else:
                    parts = [each]
                found |= {
                    n.id
                    for part in parts
                    for n in ast.walk(part)
                    if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
                }
    return found


def _defined(node: ast.stmt) -> set[str]:
    if isinstance(node, Definition):
        return {node.name}
    if isinstance(node, ast.Assign):
        return {n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)}
    return set()


def rename_parameters(tree: ast.AST, kept: frozenset[str] | set[str]) -> None:
    """Give short names to parameters that no call names."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            fixed = {n.name for n in ast.walk(node) if isinstance(n, ast.ExceptHandler)} | {"self"}
            taken = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            taken |= {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
            taken |= {n.name for n in ast.walk(node) if isinstance(n, Definition)}
            free = (name for name in short_names() if name not in taken)
            every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            every += [arg for arg in (node.args.vararg, node.args.kwarg) if arg]
            names = {arg.arg: next(free) for arg in every if arg.arg not in kept | fixed and len(arg.arg) > 1}
            for arg in every:
                arg.arg = names.get(arg.arg, arg.arg)
            parameters = _Parameters(names)
            body = node.body if isinstance(node.body, list) else [node.body]
            new = [parameters.visit(each) for each in body]
            node.body = new if isinstance(node.body, list) else new[0]  # type: ignore[assignment]


class _Parameters(Scoped):
    """Renames the names of one function in its body."""

    def __init__(self, names: dict[str, str]) -> None:
        super().__init__()
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if self.is_global(node.id):  # of the body, that is: no function inside has its own
            node.id = self._names.get(node.id, node.id)
        return node

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.AST:
        node.names = [self._names.get(name, name) for name in node.names]
        return node
