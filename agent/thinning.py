"""What a full spool gives up, in which order. Pure.

Every second of the oldest ``data`` (and ``birth``) frames first, segment by segment, those thinned least
often before the others: a long outage keeps its whole length at a coarser grain. Then data held in memory.
Events only when nothing else is left, and only for another event.
"""

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from agent.shelf import Entry, Segment

WORTH_REWRITING = 4  # a file of which a quarter is dead is written anew before anything is dropped


def wasteful(segments: "list[Segment]") -> "Segment | None":
    """Return the segment with most dead bytes, if they are worth a write."""
    best = None
    for candidate in segments:
        if candidate.dead_bytes() * WORTH_REWRITING < max(candidate.size, 1):
            continue
        if best is None or candidate.dead_bytes() > best.dead_bytes():
            best = candidate
    return best


def victims(segments: "list[Segment]", held: "list[Entry]", *, events: bool) -> "list[Entry]":
    """Return what to give up next, all of one place; empty when nothing may go.

    ``held`` are the frames in memory, oldest first; ``events``: these may go too.
    """
    thinnable = [s for s in segments if any(e.kind != "event" for e in s.entries)]
    if thinnable:
        chosen = min(thinnable, key=_least_thinned_oldest)
        chosen.thinned += 1
        return [entry for entry in chosen.entries if entry.kind != "event"][::2]
    full = [s for s in segments if s.entries]
    data_first = [entry for entry in held if entry.kind != "event"]
    if data_first or not events:
        return data_first[:1]
    return min(full, key=_oldest).entries[:1] if full else held[:1]


def _least_thinned_oldest(candidate: "Segment") -> "tuple[int, tuple[int, bytes, int]]":
    return candidate.thinned, _oldest(candidate)


def _oldest(candidate: "Segment") -> tuple[int, bytes, int]:
    return min([entry.order() for entry in candidate.entries])
