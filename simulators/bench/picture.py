"""What the page and the programs that ask are shown: the bench as plain values, in words of a language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simulators.bench import controls, sentences
from simulators.bench.certificate import is_passed, verdict
from simulators.bench.steps import State
from simulators.bench.words import say
from simulators.clock import now_ms

if TYPE_CHECKING:
    from simulators.bench.bench import Bench
    from simulators.bench.steps import Record
    from simulators.protocols.knobs import Knob

_MESSAGES: Final = 8
_STEPS: Final = {
    "mains_v": 1,
    "battery": 1,
    "ups_load": 1,
    "link_delay": 50,
    "link_rate": 8,
    "clock_offset": 60,
}


def of(bench: Bench, lang: str) -> dict[str, Any]:
    """Return everything, as of now."""
    seen, runner, stand = bench.stand.seen, bench.runner, bench.stand
    running = runner.running
    age_s = None if seen.arrival_ms is None else max(0, now_ms() - seen.arrival_ms) // 1000
    return {
        "lang": lang,
        "device": stand.setup.device,
        "virtual": not stand.setup.real_device,
        "shortened": bench.pace.shortened,
        "frame_s": bench.pace.timing.frame_s,
        "broken": sentences.faults(stand.setup.broken, lang),
        "hello": dict(sentences.hello(seen)),
        "kid": seen.start.kid if seen.start else None,
        "frames": seen.frames,
        "heard": None if age_s is None else say("ui", "seconds_ago", lang, seconds=age_s),
        "busy": runner.busy,
        "verdict": verdict(runner.records.values()),
        "passed": is_passed(runner.records.values()),
        "steps": [step(record, bench, lang) for record in runner.records.values()],
        "running": running.step.name if running else None,
        "groups": [
            {
                "name": name,
                "title": say("group", name, lang),
                "knobs": [knob(bench, one, lang) for one in names],
            }
            for name, names in controls.GROUPS.items()
        ],
        "readings": list(sentences.readings(seen, lang)),
        "incidents": stand.incidents(lang),
        "messages": [{"title": one.title, "body": one.body} for one in bench.messages()][:_MESSAGES],
        "paper": {
            "technician": bench.paper.technician,
            "serial": bench.paper.serial,
            "firmware": bench.paper.firmware or sentences.hello(seen).get("os", ""),
        },
        "failure": stand.failure,
    }


def step(record: Record, bench: Bench, lang: str) -> dict[str, Any]:
    """Return one step."""
    name, runner = record.step.name, bench.runner
    ask = runner.ask if record.state is State.RUNNING else None
    left_s = max(0, runner.deadline_ms - now_ms()) // 1000 if ask is not None else None
    return {
        "name": name,
        "title": say("step", name, lang),
        "limit": sentences.limit(name, bench.pace, lang),
        "state": record.state.value,
        "state_word": say("state", record.state.value, lang),
        "phase": sentences.phase(record.phase, lang) if record.phase else "",
        "at": record.at + 1,
        "of": len(record.phases),
        "asked": sentences.asked(ask, lang) if ask else [],
        "confirm": bool(ask and ask.confirm),
        "optional": bool(ask and ask.optional),
        "numbers": [(one, say("number", one, lang)) for one in ask.numbers] if ask else [],
        "left": None if left_s is None else say("ui", "left", lang, seconds=left_s),
        "notes": sentences.notes(record, lang),
        "reason": sentences.note(record.reason, lang, record) if record.reason else "",
        "runs": record.runs,
        "seconds": round((record.ended_ms - record.began_ms) / 1000, 1) if record.ended_ms else None,
    }


def knob(bench: Bench, name: str, lang: str) -> dict[str, Any]:
    """Return one switch or slider."""
    found: Knob = next(one for one in bench.stand.facility.panel if one.name == name)
    measured = controls.MEASURED.get(name)
    kind = "switch" if controls.is_switch(found) else "choice" if found.choices else "slider"
    return {
        "name": name,
        "title": sentences.knob(name, lang),
        "value": bench.stand.knob(name),
        "kind": "number" if measured else kind,
        "unit": measured[0] if measured else found.unit,
        "low": 0 if measured else found.low,
        "high": measured[1] if measured else found.high,
        "step": _STEPS.get(name, 0.1),
        "choices": [(one, say("choice", one, lang)) for one in found.choices],
        "by_hand": bench.stand.by_hand(name),
    }
