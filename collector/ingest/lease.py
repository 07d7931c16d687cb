"""Who may write for a shard: a row per shard with an epoch that only grows.

``check`` runs first in every transaction. Its UPDATE takes the row's lock (SQLite: the write lock), so a
worker that lost the shard cannot commit after its successor began.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlalchemy.orm import Session

from collector.errors import LeaseLostError
from collector.storage.state import Lease

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Engine

    from collector.clock import Clock

LEASE_MS = 10_000


def default_owner() -> str:
    """Return this machine and process as ``host:pid``."""
    return f"{socket.gethostname()}:{os.getpid()}"


class Leases:
    """The shards this worker holds and their epochs."""

    def __init__(self, engine: Engine, owner: str, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self.owner = owner or default_owner()
        self.epochs: dict[str, int] = {}

    def acquire(self, shards: Iterable[str]) -> list[str]:
        """Take the shards that are free, ours, expired or a dead process's; return those of others."""
        others = []
        with Session(self._engine) as session, session.begin():
            # the first statement writes: two workers that start together take turns
            session.execute(update(Lease).where(Lease.shard == "").values(epoch=Lease.epoch))
            for shard in shards:
                lease = session.get(Lease, shard, with_for_update=True)
                if lease is not None and self._is_others(lease):
                    others.append(lease.shard)
                else:
                    self._take(session, shard, lease)
        return others

    def _is_others(self, lease: Lease) -> bool:
        if lease.owner == self.owner or lease.expires_ms <= self._clock.now_ms():
            return False
        return not _is_dead(lease.owner)

    def _take(self, session: Session, shard: str, lease: Lease | None) -> None:
        if lease is None:
            lease = Lease(shard=shard, epoch=0)
            session.add(lease)
        lease.owner = self.owner
        lease.epoch += 1
        lease.expires_ms = self._clock.now_ms() + LEASE_MS
        self.epochs[shard] = lease.epoch

    def check(self, session: Session, shards: Iterable[str]) -> None:
        """Prolong the leases within a transaction; ``LeaseLostError`` when another worker took one."""
        expires_ms = self._clock.now_ms() + LEASE_MS
        for shard in shards:
            mine = (Lease.shard == shard, Lease.owner == self.owner, Lease.epoch == self.epochs.get(shard))
            held = session.connection().execute(update(Lease).where(*mine).values(expires_ms=expires_ms))
            if held.rowcount != 1:
                raise LeaseLostError(f"shard {shard} was taken over by another worker")

    def release(self) -> None:
        """Let others take the shards at once; the epochs stay."""
        with Session(self._engine) as session, session.begin():
            for shard, epoch in self.epochs.items():
                mine = (Lease.shard == shard, Lease.owner == self.owner, Lease.epoch == epoch)
                session.execute(update(Lease).where(*mine).values(expires_ms=0))
        self.epochs.clear()


def _is_dead(owner: str) -> bool:
    """Whether the owner was a process of this machine that is no more."""
    host, _, pid = owner.rpartition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
