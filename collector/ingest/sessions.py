"""Whether a device is connected, as a maximum over what was said, whatever order it came in.

What is said ranks by (order of the incarnation, whether that incarnation stopped for good, session, phase)
with birth before death; only a higher rank changes anything. So a late will of an older session, a will
that overtakes its birth, or anything said twice all end in the same state.

    frame          says                              rank
    birth  n       session n began                   (order, False, n, BIRTH)
    death  n       session n ended                   (order, False, n, DEATH)
    event, stop    the agent stopped as planned      (order, True,  0, DEATH)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from collector.model import Born, Died

if TYPE_CHECKING:
    from collector.model import Frame
    from collector.storage.state import DeviceState

_PHASES = ("none", "birth", "death")
STOPPED = "stop"


class Rank(NamedTuple):
    """Where something said of a device's connection stands."""

    order: int
    stopped: bool
    session: int
    phase: int


def said(frame: Frame, order: int) -> Rank | None:
    """Return the rank of what a frame says of its device's connection; None when it says nothing."""
    if frame.stop:
        return Rank(order, True, 0, _PHASES.index("death"))
    if frame.kind in {"birth", "death"}:
        return Rank(order, False, frame.session or 0, _PHASES.index(frame.kind))
    return None


def known(state: DeviceState) -> Rank:
    """Return the rank of what is known of a device."""
    if state.session_phase == STOPPED:
        return Rank(state.session_order, True, 0, _PHASES.index("death"))
    return Rank(state.session_order, False, state.session, _PHASES.index(state.session_phase))


def advance(frame: Frame, order: int, state: DeviceState) -> Born | Died | None:
    """Take what a frame says into the state; return what the rules are to be told, if anything changed."""
    rank = said(frame, order)
    if rank is None or rank <= known(state):
        return None
    state.session_order = order
    if rank.stopped:
        state.session_phase = STOPPED
        return Died(frame.device, frame.arrival_ms, planned=True)
    state.session, state.session_phase = rank.session, _PHASES[rank.phase]
    if frame.kind == "death":
        return Died(frame.device, frame.arrival_ms)
    state.hello = frame.hello
    return Born(frame.device, frame.arrival_ms, frame.kernel_boot, frame.hello, frame.incarnation, frame.kid)
