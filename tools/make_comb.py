"""Write ``agent/wire/p256_comb.bin``, the table of multiples of P-256's base point that p256.py uses.

Usage: python tools/make_comb.py [FILE]. The result is always the same 16,320 bytes; a test compares them.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from agent.wire import p256  # noqa: E402 - run as a script, the repository is not on the path

TEETH = 8


def comb() -> bytes:
    """Return 255 affine points, x and y of 32 bytes each; their order is given in ``p256._table``."""
    bases = [(p256.GX, p256.GY)]
    for _ in range(TEETH - 1):
        point = (*bases[-1], 1)
        for _ in range(p256.COLUMNS):
            point = p256.double(point)
        bases.append(p256.affine(point))
    return b"".join(_entry(bases, index) for index in range(1, 1 << TEETH))


def _entry(bases: list[tuple[int, int]], index: int) -> bytes:
    point = (0, 1, 0)
    for tooth, (x, y) in enumerate(bases):
        if index >> tooth & 1:
            point = p256.add(point, x, y)
    return b"".join(coordinate.to_bytes(32, "big") for coordinate in p256.affine(point))


def main() -> None:
    """Write the table to the file named on the command line, else to its place in the tree."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "agent" / "wire" / "p256_comb.bin"
    target.write_bytes(comb())


if __name__ == "__main__":
    main()
