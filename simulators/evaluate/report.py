"""The figures of an evaluation as text, and the one line that programs read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from collector.model import Cause
from simulators.evaluate.score import (
    Notice,
    Saying,
    Score,
    final_right,
    provisional_right,
    wilson,
)

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from simulators.evaluate.score import Pair, Word

SHORT: Final = {
    "mains-area": "area",
    "mains-site": "site",
    "backhaul-provider": "b-prov",
    "backhaul-site": "b-site",
    "collector": "coll",
}
OTHERS: Final = ("open", "missed")


def line(score: Score) -> str:
    """Return the last line: JSON with the keys that are promised."""
    return json.dumps(score.table(), separators=(", ", ": "))


def text(score: Score) -> str:
    """Return the tables for people."""
    return "\n".join([*_rates(score), "", *_recall(score), "", *_delays(score), "", *_confusion(score),
                      "", *_false(score)])  # fmt: skip


def detail(score: Score) -> dict[str, Any]:
    """Return everything as JSON, the matrix and the false alarms as well."""
    return {
        **score.table(),
        "confusion": {cause.value: dict(row) for cause, row in score.confusion().items()},
        "counts": {
            "final_right": sum(map(final_right, score.pairs)),
            "provisional_right": sum(map(provisional_right, score.pairs)),
        },
        "verdicts": [*_verdicts(score)],
        "outages": [_outage(score, pair) for pair in score.pairs],
        "false": [{"scenario": name, **_what(one)} for name, one in score.false_alarms],
    }


def _outage(score: Score, pair: Pair) -> dict[str, Any]:
    """Return everything that one looks at to see why an outage was judged so."""
    truth, said = pair.truth, pair.saying
    row: dict[str, Any] = {
        "scenario": pair.scenario,
        "site": truth.site,
        "what": truth.what.value,
        "start_s": truth.start_s,
        "end_s": truth.end_s,
        "true": truth.cause.value,
        "right": sorted(cause.value for cause in truth.accepted),
        "detected": score.detected(pair),
        "final_right": final_right(pair),
        "provisional_right": provisional_right(pair),
    }
    if said is None:
        return row
    words = {"provisional": said.standing(), "final": said.closing()}
    row |= {"opened_s": said.opened_s, "ended_s": said.ended_s, "notified": said.notified}
    return row | {name: _word(word) for name, word in words.items() if word is not None}


def _word(word: Word) -> dict[str, Any]:
    return {
        "at_s": word.at_s,
        "said": word.cause.value,
        "confidence": word.confidence,
        "facts": list(word.facts),
    }


def _verdicts(score: Score) -> Iterator[dict[str, Any]]:
    """Give every verdict that was judged, with what is right there: what a calibration needs."""
    for pair in score.pairs:
        for when in ("provisional", "final"):
            said = pair.saying
            word = None if said is None else said.standing() if when == "provisional" else said.closing()
            if word is not None:
                yield {
                    "when": when,
                    "what": pair.truth.what.value,
                    "said": word.cause.value,
                    "confidence": word.confidence,
                    "facts": list(word.facts),
                    "true": pair.truth.cause.value,
                    "right": sorted(cause.value for cause in pair.truth.accepted),
                }


def _rates(score: Score) -> Iterator[str]:
    pairs, certain = score.pairs, [p for p in score.pairs if Cause.UNKNOWN not in p.truth.accepted]
    unknown = sum(p.saying is not None and p.saying.final() == Cause.UNKNOWN for p in certain)
    missed = sum(not score.detected(pair) for pair in pairs)
    yield f"{score.scenarios} scenarios, {len(pairs)} outages, {score.quiet_site_days:.1f} quiet site-days"
    yield ""
    yield f"{'':<22}{'count':>12}{'share':>9}   95 % interval"
    yield _rate("final verdict right", sum(map(final_right, pairs)), len(pairs))
    yield _rate("provisional right", sum(map(provisional_right, pairs)), len(pairs))
    yield _rate("said to be unknown", unknown, len(certain))
    yield _rate("missed or late", missed, len(pairs))


def _rate(name: str, count: int, of: int) -> str:
    low, high = wilson(count, of)
    rate = f"{100.0 * count / of:7.1f} %" if of else "      - "
    return f"{name:<22}{f'{count}/{of}':>12}{rate}   {100 * low:.1f} to {100 * high:.1f} %"


def _recall(score: Score) -> Iterator[str]:
    yield "recall by cause"
    for cause in sorted({pair.truth.cause for pair in score.pairs}):
        own = [pair for pair in score.pairs if pair.truth.cause == cause]
        yield _rate(f"  {cause.value}", sum(map(final_right, own)), len(own))


def _delays(score: Score) -> Iterator[str]:
    table = score.table()
    p50, p99 = table["delay_p50_s"], table["delay_p99_s"]
    yield f"delay from outage to incident: half within {p50} s, 99 of 100 within {p99} s"


def _confusion(score: Score) -> Iterator[str]:
    table = score.confusion()
    columns = [cause.value for cause in Cause] + list(OTHERS)
    columns = [name for name in columns if any(row.get(name) for row in table.values())]
    yield "what was true (rows), what was said at last (columns)"
    yield f"{'':<20}" + "".join(f"{SHORT.get(name, name):>9}" for name in columns)
    for cause, row in table.items():
        yield f"{cause.value:<20}" + "".join(_cell(row, name) for name in columns)


def _cell(row: Counter[str], name: str) -> str:
    return f"{row.get(name) or '.':>9}"


def _false(score: Score) -> Iterator[str]:
    yield f"{len(score.false_alarms)} false alarms"
    for name, one in score.false_alarms[:40]:
        what = _what(one)
        yield f"  {what['at_s']:>9.0f} s  {what['site']}: {what['said']}  ({name})"
    if len(score.false_alarms) > 40:  # noqa: PLR2004 - a screenful
        yield "  ..."


def _what(one: Saying | Notice) -> dict[str, Any]:
    if isinstance(one, Notice):
        return {"site": one.site, "at_s": one.at_s, "said": one.condition}
    last = one.words[-1].cause.value if one.words else "nothing"
    return {"site": one.site, "at_s": one.opened_s, "said": f"{one.what.value} out, {last}"}
