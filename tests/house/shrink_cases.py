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
    "comprehensions that may not be reached": (
        (
            "def told(seen, word):\n    seen.append(word)\n    return 2\n"
            "def main(n, *, doubled=False):\n    seen = []\n"
            "    a = doubled and [told(seen, 'a') for _ in (1, 2)]\n"
            "    b = [told(seen, 'b')] if doubled else [told(seen, 'c') for _ in (1, 2)]\n"
            "    while len(seen) < 9 and [each for each in (1,) if told(seen, 'd')]:\n        n += 1\n"
            "    c = 3 < n < len([told(seen, 'e') for _ in (1,)])\n"
            "    return [a, b, c, n, seen, (lambda: [told(seen, 'f') for _ in 'xy'])()]"
        ),
        "",
    ),
    "comprehensions behind what has an effect, or feels theirs": (
        (
            "class A:\n    number = 1\n    def up(self):\n        self.number += 1\n"
            "        return self.number\n"
            "def main(n, *, doubled=False):\n    a = A()\n    a.number += sum([a.up() for _ in (1, 2)])\n"
            "    return [a.up(), [a.up() for _ in (1, 2)], a.number, [a.up() for _ in (1,)]]"
        ),
        "",
    ),
    "a comprehension's names, inside and outside": (
        (
            "def main(n, *, doubled=False):\n    each, l_a = [1, 2, 3], 4\n"
            "    both = {each: [each for each in range(each) if each != l_a] for each in each if each > 1}\n"
            "    pairs = [(one, two) for one in each for two in [one] * one if two - 1]\n"
            "    adders = [lambda more: each + more for each in (1, 2)]\n"
            "    sums = [sum(one * two for two in each) for one in each]\n"
            "    ones = {each[0] for _ in each}\n"
            "    return [both, pairs, [add(l_a) for add in adders], sums, each, sorted(ones)]"
        ),
        "",
    ),
    "comprehensions in what is called later": (
        (
            "def parts(of):\n    for part in [each for each in of if each]:\n        yield [part] * 2\n"
            "def main(n, *, doubled=False):\n"
            "    def inner(by):\n        return [by * n for by in range(by)]\n"
            "    if [each for each in (n,) if each > 5]:\n        return inner(2)\n"
            "    elif [each for each in (n,) if each > 4]:\n        return [inner(3), list(parts((0, n)))]"
        ),
        "",
    ),
    "a member of several modules that a class reads, and one that is a keyword": (
        (
            "from agent.parts import A\nclass B:\n    size = 2\n    double = size * 2\n"
            "    def __init__(self, *, shape):\n        self.shape = shape\n    def area(self, by=double):\n"
            "        return self.size * by\n"
            "def main(n, *, doubled=False):\n    b = B(shape=n)\n"
            "    return [A().area(), b.area(), b.shape, A().shape, b.size, A.size, B.double]"
        ),
        "class A:\n    size = 7\n    shape = 'shape'\n    def area(self):\n        return self.size",
    ),
    "texts of failures, and the same ones as keys": (
        (
            "from agent.parts import Failure, check\nclass Log:\n    def trouble(self, text):\n"
            "        return text\n"
            "def main(n, *, doubled=False):\n"
            "    found = {'a longer key': Log().trouble('another\\n longer text')}\n"
            "    for number in (0, 1, 2):\n        try:\n            check(number)\n"
            "            raise Failure('a longer key', 'ñandú without ' + 'a third text' + str(number))\n"
            "        except Failure as failure:\n            found[number] = failure.args\n"
            "    return found"
        ),
        (
            "class Failure(Exception):\n    pass\n"
            "def check(number):\n"
            "    if number == 1:\n        raise Failure(f'number {number} is not {0!r} here')\n"
            "    if number == 2:\n        raise _made('a third text')\n"
            "def _made(text):\n    return Failure(text, 'the reason of it')"
        ),
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
    "a failure's text with a zero": (
        "def main(n):\n    raise ValueError('a text with \\0 in it')",
        "",
        "a zero",
    ),
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
