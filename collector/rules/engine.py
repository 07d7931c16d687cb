"""The rules' one entry: a site's memory, its facts and new observations in; new memory and transitions out.

Pure: no clock, no input or output; the same steps give the same answers. The memory is a JSON object::

    devices     device -> voice, arrivals, boot id, link, story (network/silence, network/path)
    ups         device/ups -> what was seen last (power/ups)
    meters      device/meter -> what was seen last (power/meters)
    tamper      device/input -> the newest opening that was told (tamper)
    conditions  condition|subject -> where it stands (board); what is clear is not kept
    suspects    device -> what was held against its identity (security)
    outage      the silence of the whole site, or null (network/outage)
    status      {"value", "since_ms"}: waiting, ok, degraded, dark or hazard
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from collector.model import ClockFault, Readings, Rows, Severity, Suspect, Transition
from collector.rules import clock, device, power, reach, security, tamper
from collector.rules.board import OPEN, Board, Finding, Memory, Phase, Shows, severity
from collector.rules.catalogue import CONDITIONS, rank
from collector.rules.network import ears, outage, path, silence, story, unit
from collector.rules.network.silence import Voice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collector.model import Observation
    from collector.rules.catalogue import Thresholds
    from collector.rules.site import SiteFacts

_MOVING: Final = (Phase.RISING, Phase.FALLING)
Taker = Callable[[Board, Readings], None]
# who is given the rows of a measurement, and who every row
READERS: Final[Mapping[str, Taker]] = dict.fromkeys(power.MEASUREMENTS, power.observe) | {
    "tamper": tamper.observe,
    "wifi_neighbour": ears.observe,
}
EVERY: Final[tuple[Taker, ...]] = (path.observe, story.observe, unit.observe)
_BLANK: Final[dict[str, Any]] = {
    "devices": {}, "ups": {}, "meters": {}, "tamper": {}, "conditions": {}, "suspects": {}, "outage": None,
}  # fmt: skip


def step(
    state: Memory,
    site: SiteFacts,
    observations: Sequence[Observation],
    now_ms: int,
    thresholds: Thresholds,
) -> tuple[Memory, list[Transition]]:
    """Take observations in their order of arrival, then the moment ``now_ms``.

    ``state`` is left as it was; ``{}`` begins. Observations of devices that are not of this site are no
    evidence and are left out. Without observations this is a tick.
    """
    memory = _copied(_BLANK) | _copied(state)
    board = Board(site, memory, now_ms, thresholds)
    _prune(board)
    here = {entry.id for entry in site.devices}
    _observe(board, [item for item in observations if item.device in here])
    device.lapsed(board, silence.tick(board))
    power.tick(board)
    outage.tick(board)
    reach.tick(board)
    device.tick(board)
    security.tick(board)
    clock.tick(board)
    _set_status(board)
    return memory, board.transitions


LOOK_MS: Final = 30_000  # where only words about a silence can change, with its age


def next_look_ms(state: Memory, site: SiteFacts, now_ms: int, thresholds: Thresholds) -> int:
    """Return when time alone can next change something: who speaks is looked at when it speaks.

    ``state`` is what ``step`` returned.
    """
    if any(entry["phase"] in _MOVING for entry in state["conditions"].values()):
        return now_ms
    board, due_ms = Board(site, state, now_ms, thresholds), now_ms + LOOK_MS
    calm = state["outage"] is None and not state["conditions"] and not state["suspects"]
    deadlines = []
    for entry in state["devices"].values():
        voice = Voice(entry["voice"])
        if voice == Voice.RETURNING:
            return now_ms
        if voice in silence.SPEAKING:
            deadlines.append(int(silence.deadline_ms(board, entry)))
    if calm and deadlines:
        return min(deadlines)
    return min([due_ms, *deadlines])


def _copied(value: Any) -> Any:
    """Copy a JSON value: a tenth of the time of ``copy.deepcopy``, which asks every value what it is."""
    if type(value) is dict:
        return {key: _copied(member) for key, member in value.items()}
    return [_copied(member) for member in value] if type(value) is list else value


def _observe(board: Board, items: list[Observation]) -> None:
    """Who speaks comes before what is said: a backlog belongs to a device that is back."""
    said: list[Readings | Rows] = []
    for item in items:
        if isinstance(item, Readings | Rows):
            said.append(item)
        elif isinstance(item, Suspect):
            security.observe(board, item)  # somebody in its name: no sign that the device speaks
        elif isinstance(item, ClockFault):
            clock.observe(board, item)
        else:
            silence.observe(board, item)
    for item in said:
        rows, takers = _telling(board, item)
        for row in rows:
            for take in takers:
                take(board, row)


def _telling(board: Board, item: Readings | Rows) -> tuple[list[Readings], tuple[Taker, ...]]:
    """Return the rows that can change anything, and who takes them.

    Only who is away tells a story with every row. Else the way out is as the newest row of a table says, and
    of what has a reader of its own nobody else keeps anything.
    """
    read = READERS.get(item.measurement)
    takers = EVERY if read is None else (read, *EVERY)
    if isinstance(item, Readings):
        return [item], takers
    if story.is_told(board, item.device) or item.device not in board.memory["devices"]:
        return item.readings(), takers
    if read is not None:
        return item.readings(), takers if item.measurement in unit.MEASUREMENTS else (read,)
    if not item.current:
        return [], ()
    return [item.newest()] if item.is_whole() else item.readings(), (path.observe,)


def _prune(board: Board) -> None:
    """Forget devices that left the site, and end what was open about them."""
    memory, here = board.memory, {entry.id for entry in board.site.devices}
    for condition, subject, phase in board.known():
        if subject and subject.partition("/")[0] not in here:
            if phase in OPEN:
                board.apply(Finding(condition, subject, Shows.NO, board.now_ms, reason="device_moved"))
            memory["conditions"].pop(f"{condition}|{subject}", None)
    memory["devices"] = {name: entry for name, entry in memory["devices"].items() if name in here}
    memory["suspects"] = {name: entry for name, entry in memory["suspects"].items() if name in here}
    for kind in ("ups", "meters", "tamper"):
        if any(key.partition("/")[0] not in here for key in memory[kind]):
            memory[kind] = {key: kept for key, kept in memory[kind].items() if key.partition("/")[0] in here}


def _set_status(board: Board) -> None:
    value = _status(board)
    before = board.memory.get("status")
    if before is None or before["value"] != value:
        outage_now = board.memory["outage"]
        since_ms = outage_now["started_ms"] if value == "dark" and outage_now else board.now_ms
        board.memory["status"] = {"value": value, "since_ms": since_ms}


def _status(board: Board) -> str:
    """Danger first, then silence, then trouble. A site whose devices speak again is not dark any more.

    Doubts about who speaks are the dispatcher's; they do not make a facility's service worse.
    """
    voices = {silence.voice(board.memory, name) for name in board.memory["devices"]} - {Voice.NEW}
    ranks = [rank(severity(condition)) for condition, _, phase in board.known() if phase in OPEN]
    if rank(Severity.HAZARD) in ranks:
        return "hazard"
    if not voices:
        return "waiting"
    if voices == {Voice.SILENT}:
        return "dark"
    apart = {"outage", security.CONDITION}
    speaking = [condition for condition, _, phase in board.known() if phase in OPEN]
    troubled = any(
        rank(CONDITIONS[name].severity) >= rank(Severity.WARNING) for name in speaking if name not in apart
    )
    return "degraded" if troubled else "ok"
