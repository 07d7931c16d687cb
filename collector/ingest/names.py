"""Which instances and unknown fields were taken of each device: what the limits of ``tables`` count.

Kept in SQL, so that a restart is no way to bring in more; new names are saved in the transaction of the batch
that brought them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.wire import fields as register
from collector.storage.state import DeviceName

if TYPE_CHECKING:
    from sqlalchemy import Engine

INSTANCE = "instance"
FIELD = "field"
LIMITS = {INSTANCE: register.MAX_INSTANCES, FIELD: register.MAX_UNKNOWN_FIELDS}
Owner = tuple[str, str]  # device, measurement


class Names:
    """The names known by device and measurement; ``engine``: where they are read from, None: nowhere."""

    def __init__(self, engine: Engine | None = None) -> None:
        self.known: dict[str, dict[Owner, set[str]]] = {INSTANCE: {}, FIELD: {}}
        self._fresh: list[tuple[str, str, str, str]] = []
        self._saving = 0
        if engine is not None:
            self._load(engine)

    def _load(self, engine: Engine) -> None:
        with Session(engine) as session:
            columns = (DeviceName.kind, DeviceName.device_id, DeviceName.measurement, DeviceName.name)
            for kind, device, measurement, name in session.execute(select(*columns)):
                self.known[kind].setdefault((device, measurement), set()).add(name)

    def room(self, kind: str, owner: Owner, name: str) -> bool:
        """Whether a name is known of this device and measurement, or there is room for it and now it is."""
        names = self.known[kind].setdefault(owner, set())
        if name in names:
            return True
        if len(names) >= LIMITS[kind]:
            return False
        names.add(name)
        self._fresh.append((*owner, kind, name))
        return True

    def save(self, session: Session) -> None:
        """Put the new names into the caller's transaction; ``saved`` says that it was committed."""
        self._saving = len(self._fresh)  # admit goes on ahead, in another thread
        for entry in self._fresh[: self._saving]:
            if session.get(DeviceName, entry) is None:
                device, measurement, kind, name = entry
                session.add(DeviceName(device_id=device, measurement=measurement, kind=kind, name=name))

    def saved(self) -> None:
        """Forget which names are new."""
        del self._fresh[: self._saving]
