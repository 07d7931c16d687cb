"""Make the pages that go into the packages: HTML that prints on one page, pictures inside, of docs/*.md.

Usage: python tools/package_docs.py FOLDER
"""

from __future__ import annotations

import html
import re
import sys
from pathlib import Path
from typing import Final

import markdown

ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = ROOT / "docs"
PAGES: Final = ("install-router", "install-pi", "wiring")
LANGUAGES: Final = {"en": ".md", "es": ".es.md"}
STYLE: Final = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
_PICTURE: Final = re.compile(r'<img alt="([^"]*)" src="([^"]+\.svg)"\s*/?>')


def page(source: Path, language: str) -> str:
    """Return a page as HTML on its own: no other file is needed to read or print it."""
    text = source.read_text(encoding="utf-8")
    body = markdown.markdown(text, extensions=["tables", "fenced_code", "sane_lists"])
    body = _PICTURE.sub(lambda found: _picture(source.parent / found[2], found[1]), body)
    title = html.escape(text.splitlines()[0].lstrip("# "))
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
        f"<style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _picture(path: Path, alt: str) -> str:
    svg = path.read_text(encoding="utf-8")
    return svg[svg.index("<svg") :].replace("<svg", f'<svg role="img" aria-label="{alt}"', 1).strip()


def make(folder: Path) -> list[Path]:
    """Write all pages into ``folder``; return them."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name in PAGES:
        for language, suffix in LANGUAGES.items():
            target = folder / f"{name}{suffix.removesuffix('.md')}.html"
            target.write_text(page(DOCS / f"{name}{suffix}", language), encoding="utf-8")
            made.append(target)
    return made


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - the command and its folder
        sys.exit(__doc__)
    for path in make(Path(sys.argv[1])):
        print(path)
