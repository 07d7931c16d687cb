"""Put modules that are always loaded together into one: each module of its own costs a heap some 450 bytes.

What the program begins with is one module; what is imported later, inside a function, is another, with all
that nothing else needs; what two of those share is one of its own. Every name of a module is new: short, and
the same ones in each of the new modules.
"""

from __future__ import annotations

import ast
from collections import Counter
from typing import TYPE_CHECKING

from tools.shrink.homes import homes_of, imports_at_start
from tools.shrink.members import class_reads
from tools.shrink.scopes import Definition, Scoped, bind, is_of_program, names_in, short_names
from tools.shrink.unsafe import UnsafeError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tools.shrink.scopes import Program

    Symbol = tuple[str, str]  # module, name


def bundle(program: Program, begin: str, always: Iterable[str], kept: frozenset[str]) -> Program:
    """Return the program in few modules: ``begin`` with what is loaded ``always``, and the rest."""
    homes = homes_of(program, begin, [begin, *always])
    names = _new_names(program, homes, kept)
    words = {module: _not_for_globals(tree) for module, tree in program.items()}
    bundled: Program = {}
    for home in sorted(set(homes.values())):
        bundled[home] = _Joined(program, homes, names, home, set().union(*words.values())).tree()
        # its parts have their new names now, and what comes from elsewhere may be called like none of them
        words |= {module: _not_for_globals(program[module]) for module in homes if homes[module] == home}
    return bundled


def _own(tree: ast.Module) -> set[str]:
    """Return what a module defines, imports from others included, the program's own left out."""
    names: set[str] = set()
    for node in tree.body:
        if not is_of_program(node):
            bind(node, names, set())
    plain = {
        alias.name
        for node in tree.body
        if isinstance(node, ast.Import)
        for alias in node.names
        if not alias.asname
    }
    return names - plain


def _not_for_globals(tree: ast.Module) -> set[str]:
    """Return the names in a module that a global must not get: all but those of members.

    A name behind a dot is another than a global's. A class that reads names while it is made would find its
    member instead of the global, so that members of such a class count.
    """
    members: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            members.append(node)
        if isinstance(node, ast.ClassDef) and not class_reads(node):
            members += [each for each in node.body if isinstance(each, Definition)]
            members += [n for each in node.body if isinstance(each, ast.Assign) for n in ast.walk(each)]
    return names_in(tree, set(map(id, members)))


def _new_names(program: Program, homes: dict[str, str], kept: frozenset[str]) -> dict[Symbol, str]:
    """Return the new name of everything that a module defines."""
    taken = {name for tree in program.values() for name in _not_for_globals(tree)}
    uses = Counter(n.id for tree in program.values() for n in ast.walk(tree) if isinstance(n, ast.Name))
    found: dict[Symbol, str] = {}
    for home in set(homes.values()):
        free = (name for name in short_names("_") if name not in taken)
        symbols = [
            (module, name) for module in homes if homes[module] == home for name in _own(program[module])
        ]
        for symbol in sorted(symbols, key=lambda each: (-uses[each[1]], each)):
            found[symbol] = symbol[1] if symbol[1] in kept else next(free)
        twice = Counter(found[symbol] for symbol in symbols).most_common(1)
        if twice and twice[0][1] > 1:
            raise UnsafeError(home, None, twice[0][0] + " stays, and two modules that become one have it")
    return found


class _Joined:
    """One new module."""

    def __init__(
        self, program: Program, homes: dict[str, str], names: dict[Symbol, str], home: str, words: set[str]
    ) -> None:
        """``words``: what no global may be called in the program as it is now."""
        self._program = program
        self._homes = homes
        self._names = names
        self._home = home
        self._libraries: list[str] = []
        self._foreign: dict[Symbol, str] = {}  # what comes from another new module: its name here
        used = {new for (module, _), new in names.items() if homes[module] == home}
        everything = words | used
        self._free = (name for name in short_names("_") if name not in everything)

    def tree(self) -> ast.Module:
        """Return it."""
        body: list[ast.stmt] = []
        for module in [name for name in self._homes if self._homes[name] == self._home]:
            body += self._part(module)
        head: list[ast.stmt] = [ast.Import([ast.alias(name)]) for name in sorted(set(self._libraries))]
        groups: dict[str, list[ast.alias]] = {}
        for symbol, here in self._foreign.items():
            groups.setdefault(self._homes[symbol[0]], []).append(ast.alias(self._names[symbol], here))
        head += [ast.ImportFrom(home, aliases, 0) for home, aliases in sorted(groups.items())]
        return ast.Module(head + body, [])

    def _part(self, module: str) -> list[ast.stmt]:
        """Return the statements of one old module under their new names."""
        tree = self._program[module]
        here = {name: self._names[module, name] for name in _own(tree)}
        for node in imports_at_start(tree):
            for alias in node.names:
                here[alias.asname or alias.name] = self._local((str(node.module), alias.name))
        body: list[ast.stmt] = []
        for each in tree.body:
            if isinstance(each, ast.Import) and not any(alias.asname for alias in each.names):
                self._libraries += [alias.name for alias in each.names]
            elif not is_of_program(each):
                body.append(each)
        return _Rename(here, self).visit(ast.Module(body, [])).body  # type: ignore[no-any-return]  # a list of statements

    def _local(self, symbol: Symbol) -> str:
        if self._homes[symbol[0]] == self._home:
            return self._names[symbol]
        if symbol not in self._foreign:
            self._foreign[symbol] = next(self._free)
        return self._foreign[symbol]

    def home_of(self, text: str) -> str:
        """Return where a module is now that a text names; any other text as it is."""
        return self._homes.get(text, text) if "." in text else text

    def late(self, node: ast.ImportFrom) -> list[ast.stmt]:
        """Return what stands for an import inside a function."""
        found: list[ast.stmt] = []
        for alias in node.names:
            symbol, here = (str(node.module), alias.name), alias.asname or alias.name
            home = self._homes[symbol[0]]
            if home == self._home:
                found.append(
                    ast.Assign([ast.Name(here, ast.Store())], ast.Name(self._names[symbol], ast.Load()))
                )
            else:
                found.append(ast.ImportFrom(home, [ast.alias(self._names[symbol], here)], 0))
        return found


class _Rename(Scoped):
    """Gives a module's names their new ones."""

    def __init__(self, names: dict[str, str], joined: _Joined) -> None:
        super().__init__()
        self._names = names
        self._joined = joined

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if self.is_global(node.id):
            node.id = self._names.get(node.id, node.id)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """Let a text that names a module, for ``__import__``, name the one that it is in now."""
        return ast.Constant(self._joined.home_of(node.value)) if isinstance(node.value, str) else node

    def visit_Global(self, node: ast.Global) -> ast.AST:
        node.names = [self._names.get(name, name) for name in node.names]
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        if node.name and self.is_global(node.name):
            node.name = self._names.get(node.name, node.name)
        return self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> ast.AST:
        if not self.inside():
            node.names = [
                ast.alias(alias.name, self._names.get(alias.asname or alias.name)) for alias in node.names
            ]
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.stmt]:
        if is_of_program(node):
            return self._joined.late(node)
        if not self.inside():
            node.names = [
                ast.alias(alias.name, self._names.get(alias.asname or alias.name)) for alias in node.names
            ]
        return node

    def enter_definition(self, node: Definition) -> None:
        """Rename a function or class of the module."""
        if self.is_global(node.name):
            node.name = self._names.get(node.name, node.name)
