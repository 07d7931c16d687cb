"""What of a batch puts a device's identity in doubt, counted by device and reason.

Only outcomes that need an enrolled key are among them: ``verify`` looks at the signature after it found the
key, so that a stranger cannot open an incident at anybody's facility.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from collector.model import Reason, Suspect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from collector.ingest.batch import Item

CLONE = "clone"
_REASONS = frozenset({Reason.BAD_SIGNATURE, Reason.WRONG_DEVICE, Reason.REVOKED_KEY, Reason.SEQ_REUSED})


def doubts(items: Iterable[Item]) -> Counter[tuple[str, str]]:
    """Count the messages of each (device, reason); the device is the one in whose name they came."""
    found: Counter[tuple[str, str]] = Counter()
    for item in items:
        verdict = item.verdict
        if verdict is not None and verdict.reason in _REASONS and item.address is not None:
            found[item.address.device, verdict.reason.value] += 1
    return found


def by_site(
    found: Counter[tuple[str, str]], at_ms: int, site_of: Callable[[str, int], str | None]
) -> dict[str, list[Suspect]]:
    """Say what the rules are told, by the site at which each device is."""
    told: dict[str, list[Suspect]] = {}
    for (device, reason), count in sorted(found.items()):
        site = site_of(device, at_ms)
        if site is not None:
            told.setdefault(site, []).append(Suspect(device, at_ms, reason, count))
    return told
