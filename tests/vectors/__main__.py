"""Write the published examples of the wire contract.

Usage: python -m tests.vectors [FOLDER]. The result never varies; a test compares it with what is published.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.vectors import make_histories, make_signatures, make_wire

HERE = Path(__file__).resolve().parent


def files() -> dict[str, str]:
    """Return the files' texts by name."""
    content = {**make_wire.content(), **make_histories.content(), **make_signatures.content()}
    return {name: json.dumps(part, indent=1, ensure_ascii=False) + "\n" for name, part in content.items()}


def main() -> None:
    """Write the files to the folder named on the command line, else to their place."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "wire"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
