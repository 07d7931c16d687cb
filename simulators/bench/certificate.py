"""The bench certificate: what was tested with which limits, what was measured, what of it was real.

One HTML file without anything from elsewhere, made to be printed on A4.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined

from simulators.bench import sentences
from simulators.bench.steps import State
from simulators.bench.words import say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulators.bench.bench import Bench
    from simulators.bench.stand import Setup
    from simulators.bench.steps import Record

ZONE: Final = ZoneInfo("America/Mexico_City")


def verdict(records: Iterable[Record]) -> str:
    """Return ``failed`` when any step did, ``incomplete`` when any waits or none passed, else ``passed``."""
    states = Counter(record.state for record in records)
    if states[State.FAILED]:
        return "failed"
    unfinished = states[State.TODO] + states[State.RUNNING]
    return "incomplete" if unfinished or not states[State.PASSED] else "passed"


def is_passed(records: Iterable[Record]) -> bool:
    """Tell whether no step failed and none waits."""
    return verdict(records) == "passed"


def real(setup: Setup) -> dict[str, bool]:
    """Say of each part on the table whether it was real. Broker and collector are those of service."""
    return {
        "device": setup.real_device,
        "wifi_ap": setup.real_device,
        "tamper": setup.real_device,
        "modem": setup.real_device,
        "upsd": setup.real_ups,
        "mains": setup.real_meter,
        "link": False,
        "centre": True,
    }


def html(bench: Bench, lang: str, now_ms: int) -> str:
    """Return the certificate as it stands now."""
    environment = Environment(
        loader=PackageLoader("simulators.bench"), autoescape=True, undefined=StrictUndefined
    )
    template = environment.get_template("certificate.html")
    return template.render(
        **content(bench, lang, now_ms), say=lambda key, **params: say("paper", key, lang, **params)
    )


def content(bench: Bench, lang: str, now_ms: int) -> dict[str, Any]:
    """Return what stands on it."""
    seen, setup, records = bench.stand.seen, bench.stand.setup, list(bench.runner.records.values())
    states = Counter(record.state.value for record in records)
    hello, unknown = sentences.hello(seen), say("paper", "unknown", lang)
    parts = real(setup)
    return {
        "lang": lang,
        "verdict": verdict(records),
        "practice": sentences.faults(setup.broken, lang),
        "facts": [
            (say("ui", "device", lang), setup.device),
            (say("ui", "hardware", lang), hello.get("hardware", unknown)),
            (say("ui", "serial", lang), bench.paper.serial or unknown),
            (say("ui", "firmware", lang), bench.paper.firmware or hello.get("os", unknown)),
            (say("ui", "agent", lang), " ".join((hello.get("agent", unknown), hello.get("runtime", "")))),
            (say("ui", "key", lang), seen.start.kid if seen.start else unknown),
            (say("ui", "technician", lang), bench.paper.technician or unknown),
            (say("ui", "date", lang), _date(now_ms, lang)),
        ],
        "tests": [_test(record, bench, lang) for record in records],
        "counts": say(
            "paper", "counts", lang, all=len(records), **{name.value: states[name.value] for name in State}
        ),
        "kinds": [
            (
                say("paper", kind, lang),
                ", ".join(
                    say("part", p, lang) for p, is_real in parts.items() if is_real == (kind == "real")
                ),
            )
            for kind in ("real", "simulated")
        ],
        "shortened": say("ui", "shortened", lang, frame_s=bench.pace.timing.frame_s)
        if bench.pace.shortened
        else "",
        "made_by": say("paper", "made_by", lang, version=version("vigia")),
    }


def _test(record: Record, bench: Bench, lang: str) -> dict[str, Any]:
    name = record.step.name
    ended = record.state in {State.PASSED, State.FAILED}
    seconds = round((record.ended_ms - record.began_ms) / 1000)
    return {
        "title": say("step", name, lang),
        "limit": sentences.limit(name, bench.pace, lang),
        "measured": sentences.notes(record, lang),
        "reason": sentences.note(record.reason, lang, record) if record.reason else "",
        "state": record.state.value,
        "word": say("state", record.state.value, lang),
        "lasted": say("paper", "lasted", lang, seconds=seconds) if ended else "",
        "runs": say("paper", "runs", lang, runs=record.runs) if record.runs > 1 else "",
    }


_MONTHS: Final = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio",
    "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
)  # fmt: skip


def _date(now_ms: int, lang: str) -> str:
    at = datetime.fromtimestamp(now_ms / 1000, ZONE)
    if lang == "es":
        return f"{at.day} de {_MONTHS[at.month - 1]} de {at.year}, {at:%H:%M}"
    return f"{at:%Y-%m-%d, %H:%M}"
