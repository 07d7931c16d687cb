"""What must be seen in each phase, judged from what the collector has. Pure: a view in, a look out.

A row counts when it was sampled after the phase began: what was true before proves nothing.
"""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Final

from simulators.bench.steps import Look, Note, Sight, View

if TYPE_CHECKING:
    from simulators.bench.seen import Concluded, Seen, Start
    from simulators.bench.steps import Check

CLOCK_LIMIT_MS: Final = 5_000
METER_LIMIT: Final = 0.02
FRAMES: Final = 2
SAMPLES: Final = 3
CONTACT: Final = ("data_stale", "driver_lost", "unknown_ups", "waiting", "server_lost")
ON_BATTERY: Final = ("supply_lost", "on_battery")
SILENT: Final = ("outage", "device_silent")
BACKHAUL: Final = ("backhaul-site", "backhaul-provider")
_SLACK_MS: Final = 1_500  # a sample's time is the device's own


def signature(view: View) -> Look:
    """Judge whether frames come in and are verified, and none is refused."""
    now, start = view.now, view.now.start
    refused = {
        reason: count - view.first.refused.get(reason, 0)
        for reason, count in now.refused.items()
        if count > view.first.refused.get(reason, 0)
    }
    frames = now.frames - view.first.frames
    if refused:
        worst = max(refused, key=lambda reason: refused[reason])
        return Look(Sight.BAD, (Note("refused", {"count": refused[worst], "why": worst}),))
    notes = (Note("frames", {"count": frames, "kid": start.kid if start else "-"}),)
    return Look(Sight.GOOD if frames >= FRAMES else Sight.WAIT, notes)


def clock(view: View) -> Look:
    """Judge whether the clock is set, and right to five seconds."""
    now = view.now
    if now.clock_at_ms is None or now.clock_at_ms < view.began_ms:
        return Look(Sight.WAIT)
    if now.clock_ms is None:
        return Look(Sight.WAIT, (Note("clock_unset"),))
    notes = (Note("clock_off", {"seconds": round(now.clock_ms / 1000.0, 1)}),)
    return Look(Sight.GOOD if abs(now.clock_ms) <= CLOCK_LIMIT_MS else Sight.BAD, notes)


def waited(seconds: str) -> Check:
    """Return a check that is good after so many seconds of the pace, and when the person has confirmed."""

    def check(view: View) -> Look:
        long = view.waited_s >= getattr(view.pace, seconds)
        return Look(Sight.GOOD if long and view.confirmed else Sight.WAIT)

    return check


# --- UPS ---------------------------------------------------------------------------------------------


def _fresh(view: View, measurement: str, name: str, instance: str | None = None) -> float | None:
    """Return a number that was sampled since the phase began."""
    row = view.now.row(measurement, instance)
    if row is None or row.time_ms < view.began_ms - _SLACK_MS:
        return None
    value = row.fields.get(name)
    return float(value) if isinstance(value, int | float) else None


def _contact_lost(view: View) -> bool:
    failing = _fresh(view, "agent", "reader_ok", "ups") == 0
    return failing or any(_fresh(view, "upsd", name) == 1 for name in CONTACT)


def _seconds(view: View) -> Note:
    return Note("after", {"seconds": round(view.waited_s, 1)})


def _said(view: View, *conditions: str) -> Concluded | None:
    """Return what the collector concluded since the step began and still holds."""
    return view.now.newly_open(view.first, *conditions)


def on_line(view: View) -> Look:
    """Judge whether the UPS is on line, and nothing that was opened about it since stays open."""
    if _fresh(view, "upsd", "ol") != 1 or _contact_lost(view):
        return Look(Sight.WAIT)
    if _said(view, *ON_BATTERY, "battery_low", "ups_contact_lost"):
        return Look(Sight.WAIT, (Note("still_open"),))
    volts = _fresh(view, "upsd", "input_voltage")
    notes = () if volts is None else (Note("input", {"volts": round(volts, 1)}),)
    return Look(Sight.GOOD, (*notes, _seconds(view)))


def on_battery(view: View) -> Look:
    """Judge whether the UPS left the line, the device said so, and the collector opened it."""
    if _fresh(view, "upsd", "ob") != 1:
        return Look(Sight.WAIT)
    found = _said(view, *ON_BATTERY)
    if found is None:
        return Look(Sight.WAIT, (Note("not_concluded"),))
    return Look(Sight.GOOD, (Note("concluded", {"condition": found.condition}), _seconds(view)))


def battery_low(view: View) -> Look:
    """Judge whether the UPS calls its battery low, and the collector opened that."""
    if _fresh(view, "upsd", "lb") != 1:
        return Look(Sight.WAIT)
    found = _said(view, "battery_low")
    if found is None:
        return Look(Sight.WAIT, (Note("not_concluded"),))
    return Look(Sight.GOOD, (Note("concluded", {"condition": found.condition}), _seconds(view)))


def contact_lost(view: View) -> Look:
    """Judge whether contact is lost and told, and what was on battery stays on battery."""
    if not _contact_lost(view) or _said(view, "ups_contact_lost") is None:
        return Look(Sight.WAIT)
    if _said(view, *ON_BATTERY) is None:
        return Look(Sight.BAD, (Note("forgot_battery"),))
    return Look(Sight.GOOD, (Note("concluded", {"condition": "ups_contact_lost"}), _seconds(view)))


def contact_back(view: View) -> Look:
    """Judge whether the UPS answers again and is still on battery."""
    if _contact_lost(view) or _fresh(view, "upsd", "ob") != 1 or _said(view, "ups_contact_lost"):
        return Look(Sight.WAIT)
    return Look(Sight.GOOD, (_seconds(view),))


# --- restart, way out ----------------------------------------------------------------------------------


def restarted(view: View) -> Look:
    """Judge whether the machine started anew, and what it had sealed before came out of its flash, whole."""
    before, after = view.first.start, view.now.start
    if before is None or after is None or after.incarnation == before.incarnation:
        return Look(Sight.WAIT)
    if after.kernel_boot == before.kernel_boot:
        return Look(Sight.BAD, (Note("agent_only"),))
    old = _same(view.now, before)
    came = old.last - before.last
    notes = (
        Note("restart", {"seconds": round(view.waited_s, 1)}),
        Note("spool", {"came": max(0, came), "missing": old.missing}),
    )
    if came <= 0 or old.missing:
        return Look(Sight.WAIT, notes)
    return Look(Sight.GOOD, notes)


def silence(view: View) -> Look:
    """Judge whether the collector noticed that nothing comes any more."""
    found = _said(view, *SILENT)
    if found is None:
        return Look(Sight.WAIT)
    return Look(Sight.GOOD, (Note("concluded", {"condition": found.condition}), _seconds(view)))


def modem_back(view: View) -> Look:
    """Judge whether the device speaks again without a restart, and the verdict is that its way was gone."""
    before, after, arrival_ms = view.first.start, view.now.start, view.now.arrival_ms
    if before is None or after is None or arrival_ms is None or arrival_ms < view.began_ms:
        return Look(Sight.WAIT)
    if after.kernel_boot != before.kernel_boot:
        return Look(Sight.BAD, (Note("restarted_too"),))
    found = view.now.ended(view.first.at_ms, *SILENT)
    if found is None or not found.final or _said(view, *SILENT):
        return Look(Sight.WAIT, (Note("no_verdict"),))
    notes = (Note("verdict", {"cause": str(found.cause)}), _seconds(view))
    return Look(Sight.GOOD if found.cause in BACKHAUL else Sight.BAD, notes)


def backlog(view: View) -> Look:
    """Judge whether everything that was sealed while the link was cut came afterwards, without a hole."""
    before, after, arrival_ms = view.first.start, view.now.start, view.now.arrival_ms
    if before is None or after is None or arrival_ms is None or arrival_ms < view.began_ms:
        return Look(Sight.WAIT)
    if after.incarnation != before.incarnation:
        return Look(Sight.BAD, (Note("restarted_too"),))
    came = after.last - before.last
    cut_s = (view.began_ms - view.first.at_ms) / 1000.0
    notes = (
        Note("cut", {"seconds": round(cut_s)}),
        Note("spool", {"came": came, "missing": after.missing}),
    )
    expected = int(cut_s / frame_s(view.now))
    return Look(Sight.GOOD if came >= expected and not after.missing else Sight.WAIT, notes)


def frame_s(seen: Seen) -> float:
    """Return how often the device said that it seals a frame."""
    found = seen.hello.get("intervals")
    frame_ms = found.get("frame") if isinstance(found, dict) else None
    return frame_ms / 1000.0 if isinstance(frame_ms, int) and frame_ms > 0 else 30.0


def _same(seen: Seen, start: Start) -> Start:
    return next((one for one in seen.starts if one.incarnation == start.incarnation), start)


# --- contacts, radios, meter -----------------------------------------------------------------------------


def flag(measurement: str, name: str, instance: str, wanted: int) -> Check:
    """Return a check that one flag of one instance is reported so."""

    def check(view: View) -> Look:
        seen = _fresh(view, measurement, name, instance)
        return Look(Sight.GOOD if seen == wanted else Sight.WAIT, (_seconds(view),) if seen == wanted else ())

    return check


def meter(view: View) -> Look:
    """Judge whether the meter agrees with the multimeter to two per cent, over samples after it was read."""
    wanted = {"voltage": view.entered.get("volts"), "current": view.entered.get("amperes")}
    if wanted["voltage"] is None or not view.entered_ms:
        return Look(Sight.WAIT)
    notes, good = [], True
    for name, by_hand in wanted.items():
        if by_hand is None:
            continue
        values = _samples(view, name)
        if len(values) < SAMPLES or view.now.at_ms - view.entered_ms < 1000 * view.pace.look_s:
            return Look(Sight.WAIT)
        mean = fmean(values)
        error = round(mean / by_hand - 1.0, 6) if by_hand else float(mean > 0.0)
        good = good and abs(error) <= METER_LIMIT
        params = {"meter": round(mean, 2), "hand": by_hand, "percent": round(100.0 * error, 1)}
        notes.append(Note(f"meter_{name}", params))
    return Look(Sight.GOOD if good else Sight.BAD, tuple(notes))


def _samples(view: View, name: str) -> list[float]:
    """Return what the meter said since the multimeter was read."""
    rows = {row.time_ms: row.fields.get(name) for seen in view.trail if (row := seen.row("mains"))}
    return [
        float(value)
        for time_ms, value in rows.items()
        if time_ms >= view.entered_ms - _SLACK_MS and isinstance(value, int | float)
    ]
