"""The collector's word on frames: checked first, then believed. No I/O.

Nothing here trusts the broker: what is not authenticated by the device's ack key changes nothing.
"""

from agent.wire import cbor, cose, frame, intervals
from agent.wire.errors import WireError

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from agent.shelf import Entry
    from agent.spool import Spool


class Verdict:
    """What one ack settles: frames ``stored`` and ``refused`` (with reason), and what was wrong with it."""

    def __init__(self, trouble: str = "") -> None:
        """``trouble`` is the reason why the ack, or a part of it, is ignored."""
        self.stored: "list[Entry]" = []
        self.refused: "list[tuple[Entry, str]]" = []
        self.trouble = trouble


class AckReader:
    """Reads acks for one device key; ``incarnation`` is the running one, of which seqs are known."""

    def __init__(self, key: bytes, kid: bytes, incarnation: bytes, spool: "Spool") -> None:
        """Verify with ``key`` (32 bytes); other incarnations are known while frames of theirs wait."""
        self._key = key
        self._kid = kid
        self._incarnation = incarnation
        self._spool = spool

    def read(self, topic: str, message: bytes, next_seq: int) -> Verdict:
        """Return what the ack settles; seqs from ``next_seq`` on were never sealed."""
        try:
            kid, payload = cose.open_mac0(self._key, topic.encode(), message)
            ack = frame.check_ack(cbor.decode(payload))
        except WireError as error:
            return Verdict("ack_" + error.reason)
        if kid != self._kid or ack.kid != self._kid:
            return Verdict("ack_other_key")
        waiting = self._spool.of_incarnation(ack.incarnation)
        if waiting is None:
            known = ack.incarnation == self._incarnation  # all its frames may be settled already
            return Verdict("" if known else "ack_unknown_incarnation")
        return self._sort(ack, waiting, next_seq)

    def _sort(self, ack: frame.Ack, waiting: "dict[int, Entry]", next_seq: int) -> Verdict:
        verdict = Verdict()
        known = [r for r in ack.stored + ack.refused if self._sealed(ack, r[1], next_seq)]
        if len(known) < len(ack.stored) + len(ack.refused):
            verdict.trouble = "ack_never_sealed"
        stored = [r for r in ack.stored if r in known]
        refused = [r for r in ack.refused if r in known]
        for seq in sorted(waiting):
            if intervals.contains(stored, seq):
                verdict.stored.append(waiting[seq])
                continue
            for low, high, reason in refused:
                if low <= seq <= high:
                    verdict.refused.append((waiting[seq], reason))
        return verdict

    def _sealed(self, ack: frame.Ack, highest: int, next_seq: int) -> bool:
        return ack.incarnation != self._incarnation or highest < next_seq
