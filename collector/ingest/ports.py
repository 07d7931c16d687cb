"""What the ingest asks of others: the registry, the rules, the broker's connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.orm import Session

    from collector.model import Observation, Received, Transition
    from collector.registry import KeyEntry, SiteEntry


class Registry(Protocol):
    """Keys and places; ``collector.registry.Registry`` is one."""

    def key(self, kid: str) -> KeyEntry | None:
        """Return the key with this id, revoked or not."""

    def site_of(self, device: str, time_ms: int) -> str | None:
        """Return the site at which a device was at a time."""

    def sites(self) -> Iterable[SiteEntry]:
        """Return all facilities."""

    def refresh(self) -> None:
        """Look again at what may have changed."""


class Judge(Protocol):
    """The rules; both calls happen inside the caller's transaction."""

    def observe(
        self, session: Session, site_id: str, observations: Sequence[Observation], now_ms: int
    ) -> list[Transition]:
        """Take observations of one site, in order of arrival."""

    def tick(self, session: Session, site_ids: Sequence[str], now_ms: int) -> list[Transition]:
        """Let time pass for these sites."""

    def deaf_by(self, session: Session, now_ms: int) -> bool:
        """Say whether the centre's probes tell why nobody is heard: then silence is judged all the same."""


class Courier(Protocol):
    """The way back to the broker. Neither call waits for the network."""

    def acknowledge(self, messages: Sequence[Received]) -> None:
        """Acknowledge messages in this order; those of an earlier connection are left out."""

    def publish(self, shard: str, topic: str, payload: bytes) -> bool:
        """Send a message if the shard's connection is up; say whether it is."""
