"""The collector's word on frames: checked first, then believed. No I/O.

Nothing here trusts the broker: what is not authenticated by an ack key of this device changes nothing. An
ack is short (``MAX_ACK_BYTES``, ``MAX_ACK_RANGES``), and ranges are looked into and never written out, so
that no ack costs more than a little, whoever made it.
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
        """``trouble`` is the reason why the ack is ignored, empty when it is not."""
        self.stored: "list[Entry]" = []
        self.refused: "list[tuple[Entry, str]]" = []
        self.trouble = trouble


class AckReader:
    """Reads acks for one device; ``incarnation`` is the running one, of which the seqs are known."""

    def __init__(
        self,
        key: bytes,
        kid: bytes,
        incarnation: bytes,
        spool: "Spool",
        old_keys: "dict[bytes, bytes] | None" = None,
    ) -> None:
        """Verify with ``key`` (32 bytes) what names ``kid``, with ``old_keys`` what names an earlier kid.

        Frames sealed under an earlier key of this device are acked under that key. Other incarnations are
        known while frames of theirs wait.
        """
        self._keys = dict(old_keys or {})
        self._keys[kid] = key
        self._kid = kid
        self._incarnation = incarnation
        self._spool = spool

    def read(self, topic: str, message: bytes, next_seq: int) -> Verdict:
        """Return what the ack settles; seqs from ``next_seq`` on were never sealed."""
        try:
            kid = cose.kid_of_mac0(message)
            if kid not in self._keys:
                return Verdict("ack_other_key")
            _, payload = cose.open_mac0(self._keys[kid], topic.encode(), message)
            ack = frame.check_ack(cbor.decode(payload))
        except WireError as error:
            return Verdict("ack_" + error.reason)
        except MemoryError:  # a right MAC around thousands of empty lists, on a heap of 256 KiB
            return Verdict("ack_no_memory")
        if ack.kid != kid:
            return Verdict("ack_other_key")
        return self._judge(ack, next_seq)

    def _judge(self, ack: frame.Ack, next_seq: int) -> Verdict:
        running = ack.incarnation == self._incarnation
        if running and ack.kid != self._kid:
            return Verdict("ack_other_key")
        if running and _highest(ack) >= next_seq:
            return Verdict("ack_never_sealed")
        waiting = self._spool.of_incarnation(ack.incarnation)
        if waiting is None:  # of the running incarnation all frames may be settled already
            return Verdict("" if running else "ack_unknown_incarnation")
        return _sorted_out(ack, waiting)


def _highest(ack: frame.Ack) -> int:
    """Return the highest seq an ack names, -1 when it names none."""
    highest = -1
    for item in ack.stored[-1:] + ack.refused[-1:]:  # ascending: the last is the highest
        highest = max(highest, item[1])
    return highest


def _sorted_out(ack: frame.Ack, waiting: "dict[int, Entry]") -> Verdict:
    verdict = Verdict()
    for seq in sorted(waiting):
        if intervals.contains(ack.stored, seq):
            verdict.stored.append(waiting[seq])
        for low, high, reason in ack.refused:
            if low <= seq <= high:
                verdict.refused.append((waiting[seq], reason))
    return verdict
