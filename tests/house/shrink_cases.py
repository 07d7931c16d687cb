"""Programs of the agent's shape for test_shrink: the main module, the module beside it."""

# what each rule has to leave alone, or to follow: the same answer before and after
NEAR_MISSES = {
    "a function of the same name as a constant's": (
        (
            "LIMIT = 3\ndef main(n, *, doubled=False):\n    LIMIT = n\n"
            "    return [LIMIT, (lambda LIMIT: LIMIT)(4)]"
        ),
        "",
    ),
    "a constant that an import may replace": (
        (
            "sqrt = 0\ntry:\n    from math import sqrt\nexcept ImportError:\n    pass\n"
            "def main(n, *, doubled=False):\n    return bool(sqrt)"
        ),
        "",
    ),
    "a constant imported inside a function, another outside": (
        (
            "WORD = [1]\ndef main(n, *, doubled=False):\n    return [WORD, late()]\n"
            "def late():\n    from agent.parts import WORD\n    return WORD"
        ),
        "WORD = 2",
    ),
    "a module imported in the other branch": (
        (
            "import sys\nif not sys.path:\n    parts = None\nelse:\n    from agent.parts import LIMIT as N\n"
            "def main(n, *, doubled=False):\n    return N"
        ),
        "from agent.words import LIMIT",
    ),
    "a generator that never yields": (
        "def none():\n    return\n    yield\ndef main(n, *, doubled=False):\n    return list(none())",
        "",
    ),
    "a method that text alone names": (
        (
            "class A:\n    def told(self):\n        return 7\n"
            "def main(n, *, doubled=False):\n    return getattr(A(), 'told')()"
        ),
        "",
    ),
    "members that are keys, and texts, too": (
        (
            "class A:\n    def __init__(self):\n        self.seen = {'seen': 'seen'}\n"
            "def main(n, *, doubled=False):\n    return A().seen['seen']"
        ),
        "",
    ),
    "a library's attribute of the same name": (
        (
            "import math\nclass A:\n    def __init__(self):\n        self.floor = 2\n"
            "def main(n, *, doubled=False):\n    return math.floor(2.5) + A().floor"
        ),
        "",
    ),
    "a tuple's field of the same name": (
        (
            "from collections import namedtuple\nPair = namedtuple('Pair', ('left', 'right'))\n"
            "class A:\n    def __init__(self):\n        self.left = 2\n"
            "def main(n, *, doubled=False):\n    return Pair(1, 2).left + A().left"
        ),
        "",
    ),
    "two members that get values at once": (
        "class A:\n    low, high = 1, 2\ndef main(n, *, doubled=False):\n    return [A.low, A().high]",
        "",
    ),
    "a method that another module's class inherits and overrides": (
        (
            "from agent.parts import Base\nclass A(Base):\n    def step(self):\n        return 5\n"
            "def main(n, *, doubled=False):\n    return A().run()"
        ),
        (
            "class Base:\n    def run(self):\n        return self.step() + self._own()\n"
            "    def step(self):\n        return 1\n    def _own(self):\n        return 10"
        ),
    ),
    "a parameter that a call names, one that an inner function has too": (
        (
            "def add(first, second):\n    inner = (lambda second: second)(second)\n"
            "    return first + inner + sum(first for first in (1, 2))\n"
            "def main(n, *, doubled=False):\n    return add(1, second=n)"
        ),
        "",
    ),
    "keywords handed through": (
        (
            "def inner(first, second):\n    return first * second\n"
            "def outer(**more):\n    return inner(**more)\n"
            "def main(n, *, doubled=False):\n    return outer(first=n, second=2)"
        ),
        "",
    ),
    "more parameters than the alphabet has letters": (
        (
            f"def many({', '.join(f'p{n}' for n in range(60))}):\n    return p44 + p59\n"
            "def main(n, *, doubled=False):\n    return many(*range(60))"
        ),
        "",
    ),
    "an error that the module itself catches": (
        (
            "try:\n    import nowhere_at_all\nexcept ImportError as error:\n    why = str(error)\n"
            "def main(n, *, doubled=False):\n    return why"
        ),
        "",
    ),
    "the same name in two modules that become one": (
        (
            "from agent.parts import ask\ndef _own():\n    return 1\n"
            "def main(n, *, doubled=False):\n    return [_own(), ask()]"
        ),
        "def _own():\n    return 2\ndef ask():\n    return _own()",
    ),
}


# what is refused: the main module, the module beside it, words of the error
UNSAFE = {
    "a name made at run time": ("def main(n):\n    return getattr(n, 'a' + 'b')", "", "no text"),
    "the module's names as a dictionary": ("def main(n):\n    return globals()", "", "sees names"),
    "a class' name as a text": ("class A: pass\ndef main(n):\n    return A.__name__", "", "__name__"),
    "keywords of texts": ("def f(a): return a\ndef main(n):\n    return f(**n)", "", "keywords"),
    "a name given inside an expression": ("def main(n):\n    return [m := n]", "", ":="),
    "a module imported whole": ("import agent.parts\ndef main(n): return 1", "", "modules"),
    "everything imported": ("from agent.parts import *\ndef main(n): return 1", "", "imports say"),
    "a module as a value": ("from agent import parts\ndef main(n): return n(parts)", "", "value"),
    "a module's name set from outside": (
        "from agent import parts\ndef main(n):\n    parts.N = 1\n    return parts.N",
        "N = 2",
        "from outside",
    ),
    "a name that changes where it comes from": (
        "from agent import parts\ndef main(n): return parts.N",
        "N = 1\ndef up():\n    global N\n    N += 1",
        "changes",
    ),
    "another class' private attribute": (
        "from agent.parts import A\ndef main(n): return A()._seen",
        "class A:\n    def __init__(self):\n        self._seen = 1",
        "_seen is private",
    ),
    "a private method overridden from another module": (
        (
            "from agent.parts import A\nclass B(A):\n    def _step(self): return 2\n"
            "def main(n): return B().run()"
        ),
        "class A:\n    def run(self): return self._step()\n    def _step(self): return 1",
        "_step is private",
    ),
    "a method that there may be or not": (
        "class A:\n    if 1:\n        def f(self): return 1\ndef main(n): return A().f()",
        "",
        "class holds",
    ),
    "a class' name read from the module": (
        "N = [1]\nclass A:\n    N = N\ndef main(n): return A.N",
        "",
        "the class' and the module's",
    ),
    "a name that stays, twice": (
        (
            "from agent.parts import g\ndef told(): return 1\n"
            "def main(n): return g() + told() + getattr(n, 'told', 0)"
        ),
        "def told(): return 2\ndef g(): return told()",
        "told stays",
    ),
}
