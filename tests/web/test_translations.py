"""Nothing that a page can say is left untranslated."""

from __future__ import annotations

import re
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "collector/web/translations/es/LC_MESSAGES/messages.po"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")
KEYWORDS = {"_": None, "_l": None, "gettext": None, "ngettext": (1, 2)}


def extracted() -> set[str]:
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(
        ROOT, methods, options, KEYWORDS, directory_filter=lambda path: ".venv" not in path
    )
    return {message[0] if isinstance(message, tuple) else message for _f, _l, message, _c, _x in found}


def test_every_message_has_its_spanish_and_no_more():
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file)
    translated = {}
    for message in catalogue:
        if message.id:
            key = message.id[0] if isinstance(message.id, tuple) else message.id
            translated[key] = message.string if isinstance(message.string, tuple) else (message.string,)
    assert extracted() == set(translated)
    assert [key for key, texts in translated.items() if not all(texts)] == []
    assert not any(message.fuzzy for message in catalogue)


def test_placeholders_are_the_same_in_both():
    with CATALOGUE.open("rb") as file:
        for message in read_po(file):
            sources, texts = (
                [str(text) for text in (given if isinstance(given, list | tuple) else [given])]
                for given in (message.id, message.string)
            )
            assert {frozenset(PLACEHOLDER.findall(text)) for text in sources + texts} == {
                frozenset(PLACEHOLDER.findall(sources[0]))
            }, sources[0]
