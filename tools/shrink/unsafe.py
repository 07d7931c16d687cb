"""What the other modules cannot see through; a source that does it is refused with its place.

They go by the names in the source. Where a program makes names while it runs, or lets one name mean two
things, a router would get something else than was tested; that has to stop the build, not the router.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tools.shrink.scopes import Definition, bound_names, is_of_program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.shrink.scopes import Program

    Found = Iterator[tuple[ast.AST, str]]

_BY_NAME = ("getattr", "hasattr", "setattr", "delattr")
_NAMESPACES = ("globals", "locals", "vars", "eval", "exec")
_MADE_OF_NAMES = ("__dict__", "__name__", "__qualname__", "__slots__")
_IN_A_CLASS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign, ast.Pass)


class UnsafeError(Exception):
    """The source does what cannot be made smaller safely."""

    def __init__(self, module: str, node: ast.AST | None, what: str) -> None:
        """Say where it is, as far as that is known."""
        super().__init__(f"{module}:{getattr(node, 'lineno', '?')}: {what}")


def refuse_unsafe(program: Program) -> None:
    """Raise UnsafeError for the first thing in the program that is not safe."""
    for module, tree in program.items():
        own = _handed_through(tree)
        for node in ast.walk(tree):
            for rule in (_calls, _names, _imports, _class_bodies):
                for where, what in rule(node):
                    raise UnsafeError(module, where, what)
            for word in node.keywords if isinstance(node, ast.Call) else ():
                if word.arg is None and word.value not in own:
                    raise UnsafeError(module, node, "** makes keywords of texts")
        _refuse_two_meanings(module, tree)


def _handed_through(tree: ast.Module) -> list[ast.expr]:
    """Return the places where a function reads its own ``**more``: its callers name those keywords."""
    return [
        name
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.args.kwarg
        for name in ast.walk(node)
        if isinstance(name, ast.Name) and name.id == node.args.kwarg.arg
    ]


def _calls(node: ast.AST) -> Found:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id in _NAMESPACES:
            yield node, node.func.id + " sees names"
        asked = node.args[1] if len(node.args) > 1 else None
        if node.func.id in _BY_NAME and not isinstance(asked, ast.Constant) and not _of_modules(node.args[0]):
            yield node, node.func.id + " is asked for a name that is no text"


def _of_modules(node: ast.expr) -> bool:
    """Tell whether a module is asked for, whose attributes then are modules of the program."""
    return ast.unparse(node).startswith("sys.modules")


def _names(node: ast.AST) -> Found:
    if isinstance(node, ast.Attribute) and node.attr in _MADE_OF_NAMES:
        yield node, node.attr + " shows names"
    if isinstance(node, ast.Name) and node.id in _MADE_OF_NAMES and not isinstance(node.ctx, ast.Load):
        yield node, node.id + " holds names"
    if isinstance(node, ast.NamedExpr):
        yield node, ":= gives a name to the function around"


def _imports(node: ast.AST) -> Found:
    if isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "agent" for alias in node.names):
        yield node, "names are imported from the agent's modules, not modules"
    if isinstance(node, ast.ImportFrom) and (node.level or node.names[0].name == "*"):
        yield node, "imports say from where and what"


def _class_bodies(node: ast.AST) -> Found:
    if isinstance(node, ast.ClassDef):
        for each in node.body:
            if not isinstance(each, _IN_A_CLASS):
                yield each, "a class holds functions, classes and values alone"


def _refuse_two_meanings(module: str, tree: ast.Module) -> None:
    """Refuse a class body that reads a name which both the class and the module have."""
    of_module = bound_names(ast.ClassDef("", [], [], tree.body, []))
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            both = of_module & bound_names(node)
            for each in (part for part in node.body if not isinstance(part, Definition)):
                for name in ast.walk(each):
                    if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Load) and name.id in both:
                        raise UnsafeError(module, name, name.id + " is the class' and the module's")


def refuse_stale(program: Program) -> None:
    """Refuse names that are imported, so copied or not, from a module that gives them new values later."""
    changed = {
        (module, name)
        for module, tree in program.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Global)
        for name in node.names
    }
    for module, tree in program.items():
        for node in ast.walk(tree):
            if not is_of_program(node):
                continue
            for alias in node.names:
                if (str(node.module), alias.name) in changed:
                    raise UnsafeError(module, node, alias.name + " changes in its module")
