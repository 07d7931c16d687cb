"""How busy a channel is, from counters of time that drivers keep each in their own way. Pure.

Most count up from the start (ath9k, mt76). ath10k clears them whenever anybody reads, so that each reading
stands for itself; mt7915 has added 2^64 to some of them; hostapd passes on what it read some seconds ago;
others always say the same, or nothing. What fits none of this gives no value.
"""

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    # active, busy, receiving, sending; in ms
    Times = tuple[int, int, int | None, int | None]

LEAST_SHARE = 0.3  # of the time between two readings that a radio at work was counted on its channel
MOST_SHARE = 2.0  # hostapd's readings of 6 s fall unevenly into ours
FRESH_SHARE = 0.05  # the least that a counter cleared by others' readings still stands for
SLACK = 1.05  # a driver reads its counters one after the other


class Airtime:
    """The counters of one radio between two readings."""

    def __init__(self) -> None:
        """Begin without a reading."""
        self._before: "tuple[int, Times] | None" = None

    def take(self, now_ms: int, times: "Times") -> "dict[str, float]":
        """Return the shares (percent) since the reading before: airtime, and of it receiving and sending."""
        before, self._before = self._before, (now_ms, times)
        if before is None or before[1] == times or now_ms <= before[0]:
            return {}
        elapsed = now_ms - before[0]
        grown = times[0] - before[1][0]
        if LEAST_SHARE * elapsed <= grown <= MOST_SHARE * elapsed:
            spent = [_minus(times[n], before[1][n]) for n in range(4)]
        elif FRESH_SHARE * elapsed <= times[0] <= MOST_SHARE * elapsed:
            spent = list(times)
        else:
            return {}
        return _shares(spent)


def _minus(now: int | None, before: int | None) -> int | None:
    return None if now is None or before is None else now - before


def _shares(spent: "list[int | None]") -> "dict[str, float]":
    active = spent[0] or 0
    fields = {}
    names = ("airtime_percent", "airtime_rx_percent", "airtime_tx_percent")
    for index, name in enumerate(names):
        part = spent[index + 1]
        if part is not None and 0 <= part <= SLACK * active:
            fields[name] = min(100.0, round(100.0 * part / active, 1))
    if "airtime_percent" not in fields:
        return {}
    if spent[2] == spent[3] == 0:  # drivers that do not count these say 0
        fields.pop("airtime_rx_percent")
        fields.pop("airtime_tx_percent")
    return fields
