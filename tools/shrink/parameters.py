"""Give short names to parameters that no call names.

A parameter is reached from outside by position or by a keyword; a name that is a keyword in any call of the
program, whoever is called, stays. Inside the function the name is changed where it is the function's: not
where an inner function has one of its own.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tools.shrink.scopes import Definition, Scoped, short_names

if TYPE_CHECKING:
    from tools.shrink.scopes import Program


def named_in_calls(program: Program) -> set[str]:
    """Return what is a keyword in any call."""
    return {
        word.arg
        for tree in program.values()
        for word in ast.walk(tree)
        if isinstance(word, ast.keyword) and word.arg
    }


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
            node.body = new if isinstance(node.body, list) else new[0]


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
