"""The status page's content, as HTML and as JSON, piece by piece so that little of it is in memory. Pure.

It says what agent.print_table says, in the same words. Whatever comes from readings is escaped, and no MAC
address goes out, wherever it may have come from.
"""

import json

from agent import __version__, print_own
from agent.advice import advise
from agent.readers import words as plain

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from agent.advice import View

REFRESH_S = 30
_HEX = "0123456789abcdefABCDEF"

TEXTS = {
    "es": ("Vigía", "Fallas", "No se encontró ninguna falla.", "Causa probable:", "Qué hacer:", "Lecturas",
           "Todavía no hay lecturas.", "Esta página se actualiza sola cada 30 segundos."),
    "en": ("Vigía", "Wrong", "Nothing wrong was found.", "Likely:", "Try:", "Readings",
           "Nothing has been read yet.", "This page renews itself every 30 seconds."),
}  # fmt: skip
STYLE = (
    "body{font:16px/1.45 system-ui,sans-serif;margin:0 auto;max-width:44rem;padding:1rem;color:#1b1f24;"
    "background:#f6f7f9;overflow-wrap:anywhere}h1{font-size:1.3rem;margin:0}h2{font-size:1.05rem;"
    "margin:1.4rem 0 .5rem}p{margin:.3rem 0}.s{color:#56606b}.f,.ok,ul{background:#fff;border-radius:.5rem;"
    "border:1px solid #dde1e6;padding:.7rem .9rem;margin:.6rem 0}.f{border-left:.35rem solid #c62828}"
    ".ok{border-left:.35rem solid #2e7d32}ul{list-style:none;padding:.2rem .9rem}li{padding:.45rem 0;"
    "border-bottom:1px solid #eceff2}li:last-child{border:0}"
    "@media(prefers-color-scheme:dark){body{background:#14171a;color:#e6e8ea}.s{color:#9aa4ae}"
    ".f,.ok,ul{background:#1d2226;border-color:#2d343a}li{border-color:#2d343a}}"
)


def as_html(config: "dict[str, Any]", view: "View") -> "Iterator[str]":
    """Yield the page in pieces."""
    lang = config["status_page"]["lang"]
    title, wrong, well, why, then, readings, nothing, renewed = TEXTS[lang]
    yield '<!DOCTYPE html><html lang="' + lang + '"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width,initial-scale=1">'
    yield '<meta http-equiv="refresh" content="' + str(REFRESH_S) + '">'
    yield (
        "<title>"
        + title
        + " "
        + escaped(config["device"])
        + "</title><style>"
        + STYLE
        + "</style></head><body>"
    )
    yield "<h1>" + title + " · " + escaped(config["site"]) + "</h1>"
    yield '<p class="s">' + escaped(config["device"]) + " · " + __version__ + "</p>"
    yield "<p>" + escaped(print_own.sentence(view.agent or {}, lang)) + "</p>"
    found = advise(view, lang)
    if not found:
        yield '<p class="ok">' + well + "</p>"
    else:
        yield "<h2>" + wrong + ": " + str(len(found)) + "</h2>"
    for advice in found:
        yield '<div class="f"><p><b>' + escaped(advice.what) + "</b></p>"
        yield "<p>" + why + " " + escaped(advice.why) + "</p>"
        yield "<p>" + then + " " + escaped(advice.then) + "</p></div>"
    yield "<h2>" + readings + "</h2>"
    if view.samples:
        yield "<ul>"
        for sample in view.samples:
            for line in plain.explain(sample.measurement, sample.instance, sample.fields, lang):
                yield "<li>" + escaped(line) + "</li>"
        yield "</ul>"
    else:
        yield "<p>" + nothing + "</p>"
    yield '<p class="s">' + renewed + "</p></body></html>\n"


def as_json(config: "dict[str, Any]", view: "View") -> "Iterator[str]":
    """Yield the same as JSON: device, site, agent, faults, readings."""
    lang = config["status_page"]["lang"]
    head = {"device": config["device"], "site": config["site"], "agent": view.agent, "version": __version__}
    yield json.dumps(head)[:-1] + ', "faults": ['
    mark = ""
    for advice in advise(view, lang):
        said = {"key": advice.key, "what": advice.what, "why": advice.why, "next": advice.then}
        yield mark + json.dumps({name: without_macs(text) for name, text in said.items()})
        mark = ", "
    yield '], "readings": ['
    mark = ""
    for sample in view.samples:
        lines = plain.explain(sample.measurement, sample.instance, sample.fields, lang)
        yield mark + json.dumps({"measurement": sample.measurement, "text": without_macs(" ".join(lines))})
        mark = ", "
    yield "]}\n"


def escaped(text: str) -> str:
    """Return text that HTML takes for nothing else, without MAC addresses."""
    text = without_macs(text).replace("&", "&amp;").replace("<", "&lt;")
    return text.replace(">", "&gt;").replace('"', "&quot;")


def without_macs(text: str) -> str:
    """Return the text with every MAC address made unreadable, wherever it came from."""
    at = text.find(":")
    while at >= 0:
        begin = at - 2
        if begin >= 0 and _is_mac(text[begin : begin + 17]):
            text = text[:begin] + "··:··:··" + text[begin + 17 :]
        at = text.find(":", at + 1)
    return text


def _is_mac(text: str) -> bool:
    parts = text.split(":")
    return len(parts) == 6 and all([len(p) == 2 and p[0] in _HEX and p[1] in _HEX for p in parts])  # noqa: PLR2004, C419 (six bytes)
