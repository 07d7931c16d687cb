"""What code shared with MicroPython must not contain, as functions over a syntax tree.

The convention: files under ``agent/cpython/`` run on CPython only, everything else under ``agent/`` on both.
``agent/ports/`` is where the interpreters' differences are probed, so that it alone may name what only one of
them has. What MicroPython 1.25 lacks or does differently was measured on its unix port.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

# Modules that MicroPython's unix port (standard variant) and CPython both have.
SHARED = {
    "asyncio", "binascii", "collections", "errno", "gc", "hashlib", "heapq", "io", "json", "math", "os",
    "random", "re", "select", "socket", "struct", "sys", "time",
}  # fmt: skip
# Modules of one interpreter, for agent/ports/ and guarded imports.
ONLY_MICROPYTHON = {"ffi", "machine", "micropython", "termios", "tls", "uctypes"}
ONLY_CPYTHON = {"agent.cpython"}

MISSING_NAMES = {
    "ConnectionError", "ConnectionResetError", "ExceptionGroup", "FileExistsError", "FileNotFoundError",
    "InterruptedError", "PermissionError", "TimeoutError", "aiter", "anext", "ascii", "breakpoint", "format",
    "vars",
}  # fmt: skip
MISSING_ATTRIBUTES = {
    "asyncio": {"Queue", "Semaphore", "TaskGroup", "create_subprocess_exec", "create_subprocess_shell",
                "shield", "timeout", "to_thread", "open_unix_connection"},
    "hashlib": {"file_digest", "new", "sha512", "blake2b"},
    "os": {"environ", "fsync", "getpid", "kill", "path", "popen", "replace", "walk", "fspath", "makedirs"},
    "time": {"monotonic", "monotonic_ns", "perf_counter", "strftime", "strptime"},
    "socket": {"create_connection"},
    "math": {"prod", "hypot", "fsum", "dist"},
}  # fmt: skip
MISSING_METHODS = {"bit_length", "bit_count", "hexdigest", "_replace", "removeprefix", "removesuffix",
                   "casefold",
                   "isidentifier", "zfill", "ljust", "rjust", "translate", "expandtabs", "title", "swapcase",
                   "isalnum", "with_traceback", "add_note"}  # fmt: skip
GENERICS = {"dict", "frozenset", "list", "set", "tuple", "type"}

Problems = Iterator[tuple[int, str]]


def shared_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that MicroPython executes: no annotations, no TYPE_CHECKING blocks."""
    yield tree
    for name, value in ast.iter_fields(tree):
        if name in {"annotation", "returns"}:
            continue
        if isinstance(tree, ast.If) and name == "body" and _is_type_checking(tree.test):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from shared_nodes(child)


def _is_type_checking(test: ast.expr) -> bool:
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def syntax(node: ast.AST) -> Problems:
    """What does not parse, or parses and fails when run."""
    match node:
        case ast.Match():
            yield node.lineno, "match"
        case ast.TryStar():
            yield node.lineno, "except*"
        case ast.arguments(posonlyargs=[first, *_]):
            yield first.lineno, "positional-only /"
        case (
            ast.List(elts=elements, ctx=ast.Load())
            | ast.Tuple(elts=elements, ctx=ast.Load())
            | ast.Set(elts=elements)
        ):
            yield from ((e.lineno, "[*a]") for e in elements if isinstance(e, ast.Starred))
        case ast.Dict(keys=keys) if None in keys:
            yield node.lineno, "{**a}"
        case ast.comprehension(is_async=1):
            yield node.target.lineno, "async comprehension"
        case ast.ClassDef(keywords=[first, *_]):
            yield first.lineno, "class keyword argument"
        case ast.AsyncFunctionDef() if any(isinstance(each, ast.Yield) for each in _own(node)):
            yield node.lineno, "async generator"


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a function without those of functions inside it."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from _own(child)


def silently_different(node: ast.AST) -> Problems:
    """What runs and means something else."""
    match node:
        case ast.Raise(cause=ast.expr()):
            yield node.lineno, "raise ... from drops the cause with a warning"
        case ast.Call(func=ast.Name(id="pow"), args=[_, ast.UnaryOp(op=ast.USub()), _]):
            yield node.lineno, "pow(x, -1, m) is 0"
        case ast.Call(func=ast.Attribute(attr="to_bytes" | "from_bytes"), keywords=[_, *_]):
            yield node.lineno, "to_bytes and from_bytes take positions only, unsigned"
        case ast.Call(
            func=ast.Attribute(attr="pack" | "unpack" | "calcsize" | "unpack_from" | "pack_into"),
            args=[ast.Constant(value=str(form)), *_],
        ) if form.startswith("="):
            yield node.lineno, "struct has no = prefix"
        case ast.Call(func=ast.Name(id="open"), args=[_, ast.Constant(value=str(mode)), *_]) if "x" in mode:
            yield node.lineno, "open(..., 'x')"
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="re")), args=[ast.Constant(value=str(form)), *_]
        ) if "{" in form:
            yield node.lineno, "re ignores {m,n}"


def evaluated_generics(node: ast.AST) -> Problems:
    """``list[int]`` outside an annotation."""
    match node:
        case ast.Subscript(value=ast.Name(id=name), ctx=ast.Load()) if name in GENERICS:
            yield node.lineno, f"{name}[...] is evaluated"


def missing(node: ast.AST) -> Problems:
    """Names, attributes and methods that MicroPython lacks."""
    match node:
        case ast.Name(id=name, ctx=ast.Load()) if name in MISSING_NAMES:
            yield node.lineno, f"no {name}"
        case ast.Attribute(value=ast.Name(id=module), attr=name) if name in MISSING_ATTRIBUTES.get(
            module, ()
        ):
            yield node.lineno, f"no {module}.{name}"
        case ast.Attribute(attr=name) if name in MISSING_METHODS:
            yield node.lineno, f"no method {name}"


RULES: tuple[Callable[[ast.AST], Problems], ...] = (syntax, silently_different, evaluated_generics, missing)


def problems(source: str, *, is_port: bool = False) -> list[str]:
    """Return what is wrong with a file, as ``line: what``. ``is_port``: it is in agent/ports/."""
    tree = ast.parse(source)
    rules = RULES[:-1] if is_port else RULES
    found = [problem for node in shared_nodes(tree) for rule in rules for problem in rule(node)]
    found += imports(tree, is_port=is_port)
    return [f"{line}: {text}" for line, text in sorted(found)]


def imports(tree: ast.Module, *, is_port: bool) -> list[tuple[int, str]]:
    """Check each import: everywhere only what both have; in ports and guards also what one has."""
    guarded = {id(inner) for node in ast.walk(tree) if _guards(node) for inner in ast.walk(node)}
    found = []
    for node in shared_nodes(tree):
        for module in _modules(node):
            one_sided = is_port or id(node) in guarded
            if not _allowed(module, one_sided=one_sided):
                found.append((getattr(node, "lineno", 0), f"import of {module}"))
    return found


def _guards(node: ast.AST) -> bool:
    """What is only reached where it exists: a try, an if, a function."""
    return isinstance(node, ast.Try | ast.If | ast.FunctionDef | ast.AsyncFunctionDef)


def _modules(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [each.name for each in names]
        case ast.ImportFrom(module="agent" as module, names=names):
            return [f"{module}.{each.name}" for each in names]
        case ast.ImportFrom(module=module, level=level):
            return [module or "" if not level else "." * level]
    return []


def _allowed(module: str, *, one_sided: bool) -> bool:
    if _within(module, ONLY_CPYTHON) or _within(module, ONLY_MICROPYTHON):
        return one_sided
    return module in SHARED or _within(module, {"agent"})


def _within(module: str, packages: set[str]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)
