"""Leave out what is for readers and for the type checker.

Nothing of it has an effect on MicroPython: its compiler skips annotations, TYPE_CHECKING is false,
``agent.cpython`` is not in the image (so that its import always fails), and a text that stands alone does
nothing. What follows a return or raise in the same block is never reached; it stays where a yield in it makes
the function a generator.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.shrink.scopes import Definition


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
        if ends and not any(_yields(each) for each in node.body[ends[0] :]):
            node.body = node.body[: ends[0] + 1]
        node.body = node.body or [ast.Pass()]
        return node


def _yields(node: ast.AST) -> bool:
    return any(isinstance(each, (ast.Yield, ast.YieldFrom)) for each in ast.walk(node))
