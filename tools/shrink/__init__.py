"""Make the agent's source smaller before it is compiled for a router; what it does stays the same.

Every name that a program knows by itself is an entry of 11 bytes in MicroPython's table of strings and often
one of 16 in a dictionary, in a heap of 256 KiB; in the bytecode it is text. So, for all modules together:

* what is for the type checker alone, and texts that nobody reads, are left out;
* constants stand where they are used;
* comprehensions are loops (each is a function else);
* the texts of failures are one (each is an object else);
* functions, classes and methods whose name appears nowhere else are left out;
* what the program alone knows (functions, classes, attributes) and parameters that nobody names in a call get
  short names, where one module alone knows them the same ones in every module.

What could be reached by a name in a text (``getattr``), by a keyword or from another module keeps its name.
What cannot be seen from the names in the source is refused (``unsafe``).
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tools.shrink.bare import Bare
from tools.shrink.bundle import bundle
from tools.shrink.comprehensions import write_loops
from tools.shrink.constants import Constants
from tools.shrink.imports import drop_imports, import_from_home, import_names
from tools.shrink.members import rename_private, rename_shared
from tools.shrink.parameters import named_in_calls, rename_parameters
from tools.shrink.texts import gather_texts
from tools.shrink.unsafe import refuse_stale, refuse_unsafe
from tools.shrink.unused import called_by_text, drop_unused

if TYPE_CHECKING:
    from collections.abc import Iterable

BEGIN = "agent.__main__"
# imported inside a function, where another interpreter has something else, and loaded in any case
ALWAYS = ("agent.ports.clock", "agent.signer", "agent.transport.mqtt_client", "agent.transport.resolver",
          "agent.transport.tls", "agent.ports.signals")  # fmt: skip


def shrink(sources: dict[str, str], keep: Iterable[str] = ()) -> dict[str, str]:
    """Return the sources (by the module's name), smaller; the names ``keep`` stay whatever they are."""
    program = {name: Bare().visit(ast.parse(text)) for name, text in sources.items()}
    refuse_unsafe(program)
    kept = frozenset(keep) | called_by_text(program)
    import_names(program)
    import_from_home(program)
    refuse_stale(program)
    Constants(program, kept).fold()
    drop_unused(program, kept)
    drop_imports(program)
    write_loops(program)
    gather_texts(program)
    rename_private(program, kept)
    rename_shared(program, kept)
    program = bundle(program, BEGIN, ALWAYS, kept)
    keywords = kept | named_in_calls(program)
    for tree in program.values():
        rename_parameters(tree, keywords)
    return {
        name: ast.unparse(ast.fix_missing_locations(tree)) + "\n"
        for name, tree in program.items()
        if not all(isinstance(node, ast.Pass) for node in tree.body)
    }
