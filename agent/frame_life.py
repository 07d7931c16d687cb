"""The life of a sealed frame as one table. No I/O.

    state         the frame is                                              ends by
    sealed        signed and numbered, nowhere yet                          spooled, dropped
    spooled       in the spool, not under way                               sent
    outstanding   handed to the transport on this connection                puback, lost
    broker_acked  with the broker, which may forget it                      the collector's word, lost
    stored        the collector has it                                      -
    refused       the collector will never take it                          -
    dropped       given up by the device: no room, or not readable          -

The collector's word may come in any state after ``sealed``, for a frame may have been sent by an earlier
connection or an earlier process. An event that the table does not have raises StateError and changes nothing.
"""

from agent.errors import StateError

SEALED = "sealed"
SPOOLED = "spooled"
OUTSTANDING = "outstanding"
BROKER_ACKED = "broker_acked"
STORED = "stored"
REFUSED = "refused"
DROPPED = "dropped"

TABLE = {
    SEALED: {"spooled": SPOOLED, "dropped": DROPPED},
    SPOOLED: {"sent": OUTSTANDING, "stored": STORED, "refused": REFUSED, "dropped": DROPPED},
    OUTSTANDING: {
        "sent": OUTSTANDING, "puback": BROKER_ACKED, "lost": SPOOLED,
        "stored": STORED, "refused": REFUSED, "dropped": DROPPED,
    },
    BROKER_ACKED: {
        "sent": OUTSTANDING, "puback": BROKER_ACKED, "lost": SPOOLED,
        "stored": STORED, "refused": REFUSED, "dropped": DROPPED,
    },
    STORED: {},
    REFUSED: {},
    DROPPED: {},
}  # fmt: skip

ENDS = tuple([state for state in TABLE if not TABLE[state]])


def after(state: str, event: str) -> str:
    """Return the state that follows. Raises StateError ``illegal_event``."""
    onward = TABLE[state].get(event)
    if onward is None:
        raise StateError("illegal_event", event + " of a frame that is " + state)
    return onward
