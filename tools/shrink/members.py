"""Give short names to attributes and methods that one module alone knows.

An attribute's name says nothing of whose it is, so that a name is changed in the whole module, and only when:

* a class of the module defines it, and no other module has the name at all (or it begins with ``_``);
* it is no name that Python's own objects have, nor one that getattr is asked for;
* no class of the module is made of another module's, which would have both short and long names;
* no class body reads it as a plain name, which would be a global's as well.
"""

from __future__ import annotations

import ast
from collections import Counter
from typing import TYPE_CHECKING

from tools.shrink.foreign import FOREIGN
from tools.shrink.scopes import Definition, Function, is_of_program, names_in, short_names
from tools.shrink.unsafe import UnsafeError

if TYPE_CHECKING:
    from tools.shrink.scopes import Program


def rename_private(program: Program, kept: frozenset[str]) -> None:
    """Give short names to what one module alone knows."""
    where: Counter[str] = Counter()
    for tree in program.values():
        where.update(names_in(tree))
    of_heirs = {name for tree in program.values() if _inherits(tree) for name in names_in(tree)}
    _refuse_foreign_private(program, kept)
    for tree in program.values():
        own = {name for name in names_in(tree) if where[name] == 1 or _is_private(name)}
        own -= kept | FOREIGN | _of_libraries(tree)
        if not _inherits(tree):
            Renamed(private_names(tree, own, names_in(tree) | of_heirs)).visit(tree)


def rename_shared(program: Program, kept: frozenset[str]) -> None:
    """Give short names to members that several modules know, the same one in each.

    Such a name is an attribute's wherever it stands behind a dot. It stays where it is a library's too, and
    where a class reads it while it is made.
    """
    members: set[str] = set()
    taken: set[str] = set()
    stays = set(kept | FOREIGN)
    uses: Counter[str] = Counter()
    for tree in program.values():
        members |= {name for name in _members_of(tree) if not _is_private(name)}
        taken |= names_in(tree)
        stays |= _of_libraries(tree) | class_reads(tree)
        uses.update(node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    shared = sorted(members - stays, key=lambda name: (-uses[name], name))
    free = (name for name in short_names("_") if name not in taken)
    names = dict(zip(shared, free, strict=False))
    for tree in program.values():
        Renamed(names).visit(tree)


def _refuse_foreign_private(program: Program, kept: frozenset[str]) -> None:
    """Refuse a module that uses a private name of another module's class, which gets another name there.

    Where a class is made of another module's, it may not even have one of the same name: it would no longer
    stand in the place of the other.
    """
    homes: dict[str, set[str]] = {}
    for module, tree in program.items():
        for name in filter(_is_private, _members_of(tree) - kept):
            homes.setdefault(name, set()).add(module)
    for module, tree in program.items():
        inherited = _inherits(tree)
        used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} | _members_of(tree)
        for name in sorted(used & homes.keys()):
            if module not in homes[name] or homes[name] & inherited:
                where = ", ".join(sorted(homes[name] - {module}))
                raise UnsafeError(module, None, f"{name} is private in {where}")


def _of_libraries(tree: ast.Module) -> set[str]:
    """Return attributes of imported libraries, and fields of tuples, which are names in texts."""
    libraries = {
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in libraries:
            found.add(node.attr)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("namedtuple"):
            texts = (n.value for n in ast.walk(node) if isinstance(n, ast.Constant))
            found |= {
                word for text in texts if isinstance(text, str) for word in text.replace(",", " ").split()
            }
    return found


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def private_names(tree: ast.Module, own: set[str], taken: set[str]) -> dict[str, str]:
    """Return new names for the members of one module's classes that nobody else knows."""
    used = Counter(node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    members = {name for name in _members_of(tree) if name in own} - class_reads(tree)
    free = (name for name in short_names("_") if name not in taken)
    return dict(zip(sorted(members, key=lambda name: (-used[name], name)), free, strict=False))


class Renamed(ast.NodeTransformer):
    """Gives members new names."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        node.attr = self._names.get(node.attr, node.attr)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        for each in node.body:
            if isinstance(each, Definition):
                each.name = self._names.get(each.name, each.name)
            for target in each.targets if isinstance(each, ast.Assign) else ():
                for name in ast.walk(target):
                    if isinstance(name, ast.Name):
                        name.id = self._names.get(name.id, name.id)
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


def _inherits(tree: ast.Module) -> set[str]:
    """Return the modules whose classes a class here is made of: their short names must not be met again."""
    imported = {
        alias.asname or alias.name: str(node.module)
        for node in ast.walk(tree)
        if is_of_program(node)
        for alias in node.names
    }
    bases = [base for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for base in node.bases]
    return {imported[base.id] for base in bases if isinstance(base, ast.Name) and base.id in imported}


def _class_names(node: ast.ClassDef) -> set[str]:
    return {name for each in node.body for name in _defined(each)}


def class_reads(tree: ast.AST) -> set[str]:
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
