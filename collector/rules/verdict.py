"""Why a place is dark: evidence weighed in a table that an engineer can read and change.

Each clue adds its weight to causes, for (+) or against (-), in natural logarithms of odds: +2.3 makes a cause
ten times as likely. What no clue tells stays at the prior, where ``unknown`` leads: a lone device without
UPS and neighbours stays unknown until it returns. The confidence is the winner's share of all odds.

Two rules hold whatever the weights (and tests hold them): silence alone never names the backhaul above
the mains where the modem is not known to be carried by a UPS, and mass silence alone is no evidence for
``collector``. ``removed`` and ``collector`` wait for clues that only a person, a tamper input or the
centre's own probes can give.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from collector.model import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collector.model import Fact

MA, MS = Cause.MAINS_AREA, Cause.MAINS_SITE
BP, BS = Cause.BACKHAUL_PROVIDER, Cause.BACKHAUL_SITE
DV, RM, CO = Cause.DEVICE, Cause.REMOVED, Cause.COLLECTOR
PL, UN = Cause.PLANNED, Cause.UNKNOWN

PRIOR: Final = {UN: 2.0, MS: 0.5, BP: 0.0, BS: 0.0, DV: 0.0, MA: -1.0, PL: -3.0, CO: -3.0, RM: -3.0}
# What was learned from the past may make a verdict surer, and never makes one (arXiv 1912.03357).
LEARNED: Final = frozenset({"fell_together_before"})
# Announced work is no other fault: it explains a loss of supply or of the way out, however much shows one.
EXPLAINED: Final = (MA, MS, BP, BS)
EXPLAINS: Final = 2.5
# Of two faults the one that made most of the outage counts: these tell of its beginning only, and weigh
# nothing once a device tells that it ran unheard for most of the time, or through it on one UPS
# with its modem.
OF_THE_BEGINNING: Final = frozenset(
    {"no_input", "supply_lost_before", "on_battery_before", "battery_low_before", "contact_lost_before",
     "neighbours_without_supply", "neighbours_dark", "neighbour_dark", "region_dark", "circuit_dark",
     "premises_dark", "restarted", "restarted_carried", "restarted_together", "cold_start", "battery_drained",
     "story_supply_lost", "story_on_battery", "modem_restarted_too", "device_not_carried",
     "modem_not_carried"}
)  # fmt: skip
LASTED: Final = frozenset({"woke_unheard", "ups_held"})
# Facts that come together count twice: fitted by simulators/evaluate/calibrate.py (docs/verdicts.md).
TEMPERATURE: Final = 1.2
SUREST: Final = 0.99


@dataclass(frozen=True, slots=True)
class Clue:
    """What a fact is worth, and why."""

    weights: dict[Cause, float]
    why: str


# What shows that this place lost its supply says nothing of how far that reaches, and weighs the same for
# both causes: that most losses are the site's own is in the prior, once.
CLUES: Final[dict[str, Clue]] = {
    # --- the supply itself ----------------------------------------------------------------------
    "no_input": Clue(
        {MS: +5.0, MA: +5.0, BS: -4.0, BP: -4.0, DV: -1.0, PL: -1.0, UN: -3.0},
        "the UPS measures no input and nothing shows that the building has mains",
    ),
    # --- before the silence ---------------------------------------------------------------------
    "supply_lost_before": Clue(
        {MS: +4.0, MA: +4.0, BS: -2.0, BP: -2.0, DV: -2.0, PL: -5.0, UN: -1.5},
        "the UPS measured no input, then its battery or the modem gave out",
    ),
    "ups_alone_before": Clue(
        {DV: +4.0, MS: +1.0, BS: -1.0, BP: -1.0, UN: -1.5},
        "the UPS had no input while the building had mains: its plug, its socket or its breaker",
    ),
    "on_battery_before": Clue(
        {MS: +3.0, MA: +3.0, BS: -1.0, BP: -1.0, DV: -1.0, PL: -5.0, UN: -1.0},
        "the UPS had left the line, most often for want of mains",
    ),
    "battery_low_before": Clue({MS: +0.5, MA: +0.5, DV: -0.5}, "the battery was nearly empty"),
    "contact_lost_before": Clue({MS: +1.0, MA: +0.5}, "USB drops just when the mains fail (NUT #2925)"),
    "mains_good_carried": Clue(
        {MS: -4.0, MA: -5.0, BS: +2.5, BP: +1.0, DV: +1.5, UN: -1.5},
        "device and modem are carried by a UPS that was on line: a loss of mains would have shown first",
    ),
    "mains_good_spent": Clue(
        {MS: -1.5, MA: -2.0, BS: +2.0, BP: +1.0, DV: +1.0, UN: -1.0},
        "the UPS was on line and carries the way out, but its battery is spent: it may have failed at once",
    ),
    "mains_good_not_carried": Clue(
        {MS: +0.75, MA: +0.25, UN: -0.5},
        "the UPS was on line, but does not carry the whole way out: the mains would take the modem along",
    ),
    "device_not_carried": Clue({MS: +0.25, MA: +0.25}, "the device falls with the mains, without a word"),
    "modem_not_carried": Clue({MS: +1.0, MA: +0.5}, "the modem falls with the mains: looks like a lost link"),
    "wan_down_before": Clue({BS: +1.5, BP: +0.5}, "the link to the modem was down while the device spoke"),
    "probes_failed_before": Clue({BP: +1.0, BS: +0.5}, "what lies beyond the modem answered no more"),
    "planned_stop": Clue({PL: +10.0, DV: -1.0, UN: -0.5}, "the agent said that it was being stopped"),
    "line_closed": Clue(
        {DV: +3.5, BS: -1.5, BP: -1.5, MS: -3.0, MA: -3.0, UN: -1.0},
        "the machine ended its connection itself, before a ping was missed: its agent failed, all else lived",
    ),
    "box_opened": Clue(
        {RM: +7.0, DV: +0.5, UN: -1.0}, "somebody had opened its box: without that nobody took it"
    ),
    # --- who else -------------------------------------------------------------------------------
    "others_speak": Clue(
        {DV: +2.5, BS: -4.0, BP: -4.0, MS: -0.5, MA: -1.0},
        "other devices of the site use the same way out",
    ),
    "still_on_air": Clue(
        {MS: -4.0, MA: -4.0, RM: -4.0, DV: +1.0, UN: -0.5},
        "its access point is still heard near by: it has power and is there, its agent or its cable failed",
    ),
    "off_the_air": Clue(
        {MS: +0.5, MA: +0.25, BS: -1.0, BP: -1.0},
        "its access point is not heard any more: it is off, or hangs",
    ),
    "silent_together": Clue(
        {DV: -2.0, UN: -1.5}, "several devices do not fail in the same minute: what they share failed"
    ),
    "silent_behind": Clue(
        {DV: -0.5, UN: -0.75}, "they go out through one device: it fell silent, or what it shares with them"
    ),
    # Another premises that falls in the same minutes by chance is one in hundreds: streets fall together.
    "neighbours_without_supply": Clue(
        {MA: +6.0, UN: -1.0}, "premises near by told that their supply went in the same minutes"
    ),
    "neighbours_dark": Clue(
        {MA: +5.5, BP: +3.5, UN: -1.0},
        "several premises near by fell silent in the same minutes: what they share failed",
    ),
    "neighbour_dark": Clue(
        {MA: +5.0, BP: +3.0, UN: -1.0}, "a premises near by fell silent with it: what they share failed"
    ),
    "dark_with_other_providers": Clue(
        {BP: -5.0}, "those who fell silent near by have several providers: these do not fail in one minute"
    ),
    "dark_with_one_provider": Clue(
        {MA: -2.5}, "all who fell silent near by have this site's provider: a street rarely has one only"
    ),
    "dark_with_same_provider": Clue({MA: -1.0}, "who fell silent near by has the same provider"),
    "neighbours_fine": Clue({MA: -0.75}, "premises near by have supply: one street may, the next may not"),
    "region_dark": Clue(
        {MA: +5.0, UN: -1.0}, "nobody near by can be asked; most places further off lost their supply with it"
    ),
    "circuit_dark": Clue({MA: +5.0, BP: +1.0, UN: -1.0}, "others of the utility's circuit fell with it"),
    "circuit_fine": Clue({MA: -4.0}, "others of the utility's circuit have supply"),
    "premises_dark": Clue(
        {MS: +1.0, MA: +0.5, DV: -2.0, UN: -0.5}, "another facility behind the same meter fell with it"
    ),
    "premises_fine": Clue({MS: -1.5, MA: -3.0}, "another facility behind the same meter has supply"),
    "provider_dark": Clue(
        {BP: +5.0, MA: +3.0, UN: -1.0},
        "most others of the provider fell silent with it; a dark district can look so too",
    ),
    "provider_fine": Clue({BP: -4.0}, "others of the provider have a way out"),
    "fell_together_before": Clue({MA: +0.5}, "who fell with it did so before: raises confidence only"),
    "did_not_come_back": Clue({MA: -4.0, MS: +2.0}, "the area is back, this place is not"),
    "planned_window": Clue(
        {PL: +11.0, DV: -1.0},
        "it began in announced work: that explains every sign of a lost supply or way out as well",
    ),
    "window_overrun": Clue({PL: -1.0}, "the announced time is over: somebody has to ask"),
    "centre_broker_down": Clue({CO: +14.0}, "the centre's own message through the broker did not come back"),
    "centre_uplink_down": Clue({CO: +14.0}, "the centre reaches none of its targets outside"),
    # --- what the return tells ------------------------------------------------------------------
    "another_unit": Clue(
        {RM: +11.0, DV: -1.0, UN: -2.0}, "another unit came back in its place: the one before was taken away"
    ),
    "upgraded": Clue({PL: +4.0, DV: -1.0, UN: -1.0}, "agent or system came back in another version"),
    "restarted": Clue(
        {DV: +1.25, MS: +0.25, MA: +0.25, BS: -2.0, BP: -2.0},
        "it restarted: its power went, or it failed; that alone does not tell which",
    ),
    "restarted_carried": Clue(
        {DV: +3.0, BS: -3.0, BP: -3.0, UN: -0.5},
        "it restarted although a UPS carries it",
    ),
    "restarted_alone": Clue(
        {DV: +5.0, MS: -2.5, MA: -2.5, BS: -3.0, BP: -3.0, UN: -1.5},
        "it restarted while what feeds it fed others that ran on",
    ),
    "restarted_together": Clue(
        {MS: +3.0, MA: +3.0, DV: -2.0, BS: -2.0, BP: -2.0, UN: -0.5},
        "devices of one site restarting together lost their power together",
    ),
    "woke_unheard": Clue(
        {BS: +4.0, BP: +4.0, DV: -2.0, UN: -2.0},
        "it had power and ran unheard for most of the time: the way out kept it dark, whatever began it",
    ),
    "ups_held": Clue(
        {BS: +3.0, BP: +3.0, MS: -2.0, MA: -2.0, DV: -2.0, UN: -1.0},
        "one UPS carried it and its modem all through: a supply that was lost then did not make the silence",
    ),
    "ran_before_restart": Clue(
        {BS: +3.0, BP: +3.0, MS: -3.0, MA: -3.0, DV: -2.0, UN: -1.5},
        "it ran on for minutes after its last word that came: the way out failed, the restart came later",
    ),
    "cold_start": Clue({MS: +1.5, MA: +1.5, DV: -2.0, UN: -0.5}, "the machine had been without power"),
    "warm_start": Clue({DV: +3.0, MS: -3.0, MA: -3.0, UN: -0.5}, "it restarted without a loss of power"),
    "machine_failed": Clue(
        {DV: +4.0, MS: -2.0, MA: -2.0, UN: -1.0}, "its watchdog, the heat or a crash ended the run before"
    ),
    "battery_untouched": Clue(
        {MS: -2.5, MA: -2.5, UN: -0.5}, "the battery is as full as before: the UPS never left the line"
    ),
    "battery_drained": Clue({MS: +2.5, MA: +2.5, UN: -0.5}, "the battery was used meanwhile"),
    "mains_fed_ran_on": Clue(
        {MS: -4.0, MA: -4.0, UN: -0.5}, "a device behind it is fed by the mains and ran on: there were mains"
    ),
    "kept_running_on_mains": Clue(
        {MS: -4.0, MA: -4.0, DV: -3.0, BS: +1.5, BP: +1.5, UN: -2.0},
        "it is fed by the mains and kept running: there were mains, only the way out was gone",
    ),
    "kept_running_without_ups": Clue(
        {MS: -3.0, MA: -3.0, DV: -3.0, BS: +1.5, BP: +1.5, UN: -2.0},
        "it kept running and no UPS is known here: there were mains, unless one stands there unnamed",
    ),
    "kept_running": Clue(
        {DV: -3.0, BS: +1.5, BP: +1.5, UN: -2.0},
        "it kept running and measuring: only the way out was gone",
    ),
    "agent_stopped": Clue(
        {DV: +4.5, BS: -2.0, BP: -2.0, MS: -3.0, MA: -3.0, UN: -1.0},
        "the machine kept running, yet nothing was measured: it stood still",
    ),
    "agent_restarted": Clue(
        {DV: +3.5, BS: -2.0, BP: -2.0, MS: -2.5, MA: -2.5, UN: -1.0},
        "the machine kept running, its agent did not: it failed or was started anew",
    ),
    "story_supply_lost": Clue(
        {MS: +4.0, MA: +4.0, BS: -2.0, BP: -2.0, DV: -2.0, PL: -1.0, UN: -1.0},
        "the backlog shows a UPS without input when the silence began",
    ),
    "story_on_battery": Clue(
        {MS: +3.0, MA: +3.0, BS: -1.5, BP: -1.5, DV: -1.0, PL: -1.0, UN: -1.0},
        "the backlog shows a UPS on battery when the silence began",
    ),
    "story_flicker": Clue(
        {MS: +4.0, MA: +4.0, BS: -1.5, BP: -1.5, DV: -1.0, UN: -1.0},
        "the UPS left the line for a moment just then: enough for a modem on the mains to restart",
    ),
    "story_supply_lost_later": Clue(
        {BS: +1.5, BP: +1.5, MS: -1.5, MA: -1.5, UN: -0.5},
        "the backlog shows the supply failing long after the silence began: it was not the cause",
    ),
    "story_mains_good": Clue(
        {MS: -4.0, MA: -4.0, BS: +1.0, BP: +1.0, UN: -0.5},
        "the backlog shows the UPS on line all through the silence",
    ),
    "story_wan_down": Clue(
        {BS: +2.5, BP: -0.5, UN: -1.0}, "the link to the modem was down: modem, its supply or cable"
    ),
    "story_wan_up": Clue(
        {BP: +2.0, BS: -1.0, UN: -1.0}, "the link to the modem was up: the fault lay beyond it"
    ),
    "story_modem_silent": Clue(
        {BS: +2.0, BP: -1.0, UN: -1.0}, "the modem itself did not answer: it hung, or was starting"
    ),
    "story_modem_restarted": Clue(
        {MS: +2.5, MA: +2.5, BP: -3.0, DV: -1.0, UN: -1.0},
        "a modem that no UPS carries started anew while its router ran on: a flicker of the mains does that",
    ),
    "modem_restarted_too": Clue(
        {MS: +2.0, MA: +2.0, DV: -2.5, BP: -1.0, UN: -1.0},
        "the router started anew and found its modem starting as well: they lost their power together",
    ),
    "modem_ran_on_mains": Clue(
        {MS: -4.0, MA: -4.0, UN: -0.5}, "the modem is fed by the mains and answered: there were mains"
    ),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The likeliest cause and its share of all odds (0 to 0.99)."""

    cause: Cause
    confidence: float


def scores(facts: Iterable[Fact]) -> dict[Cause, float]:
    """Add up what the facts are worth; facts without a clue are words only."""
    told = list(facts)
    found, spent = dict(PRIOR), outlasted(told)
    codes = [fact.code for fact in told if fact.code not in spent]
    for code in codes:
        clue = CLUES.get(code)
        for cause, weight in clue.weights.items() if clue else ():
            found[cause] += weight
    if any(code == "planned_window" for code in codes):
        found[PL] = max(found[PL], max(found[cause] for cause in EXPLAINED) + EXPLAINS)
    return found


def outlasted(facts: Iterable[Fact]) -> dict[str, Fact]:
    """Return which facts weigh nothing because another fault made most of the outage, and what says so."""
    told = list(facts)
    lasted = next((fact for fact in told if fact.code in LASTED), None)
    if lasted is None:
        return {}
    return {fact.code: lasted for fact in told if fact.code in OF_THE_BEGINNING}


def shares(found: dict[Cause, float], temperature: float) -> dict[Cause, float]:
    """Turn scores into shares of all odds."""
    most = max(found.values())
    odds = {cause: math.exp((score - most) / temperature) for cause, score in found.items()}
    whole = sum(odds.values())
    return {cause: one / whole for cause, one in odds.items()}


def weigh(facts: Iterable[Fact]) -> Verdict:
    """Name the likeliest cause; ties go to ``unknown``. What was learned is asked when the cause is known."""
    told = list(facts)
    found = scores(fact for fact in told if fact.code not in LEARNED)
    cause = max(found, key=lambda name: (found[name], name == UN))
    sure = max(shares(each, TEMPERATURE)[cause] for each in (found, scores(told)))
    return Verdict(cause, min(SUREST, round(sure, 2)))
