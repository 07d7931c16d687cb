"""Which messages of a connection the broker waits to have acknowledged, and in which order it is told.

MQTT asks for acknowledgements in the order in which the messages came (3.1.1 and 5.0, section 4.6). In the
inbox a live message overtakes a backlog; its acknowledgement waits here for those that came before it.
"""

from __future__ import annotations

from itertools import takewhile
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_IS_DONE = itemgetter(1)


class Owed:
    """The message ids of one connection, in order of arrival."""

    def __init__(self) -> None:
        self._done: dict[int, bool] = {}

    def __len__(self) -> int:
        return len(self._done)

    def came(self, mid: int) -> None:
        """Note a message that has to be acknowledged."""
        self._done[mid] = False

    def settle(self, mids: Iterable[int]) -> list[int]:
        """Note that these are done with; return which may be acknowledged now. Unknown ones are left out."""
        for mid in mids:
            if mid in self._done:
                self._done[mid] = True
        due = [mid for mid, _ in takewhile(_IS_DONE, self._done.items())]
        for mid in due:
            del self._done[mid]
        return due

    def clear(self) -> None:
        """Forget all: another connection has other ids."""
        self._done.clear()
