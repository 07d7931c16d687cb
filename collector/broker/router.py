"""Sessions, subscriptions and retained messages: who gets what. No I/O.

A session belongs to a client id, and a client id to an identity (``acl.may_connect``), which the caller
checks before it asks for a session here. Everything is kept while the broker runs, nothing longer.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from collector.broker import acl
from collector.broker.outbox import Limits, Outbox
from collector.broker.packets import REFUSED_FILTER, Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_FILTERS = 64  # of one session: a device needs two, the collector a handful


class Link(Protocol):
    """A session's connection."""

    def wake(self) -> None:
        """Look into the outbox."""

    def supersede(self) -> None:
        """Give way to a newer connection of the same client."""


@dataclass(eq=False, slots=True)
class Session:
    """What is remembered of a client."""

    client_id: str
    identity: acl.Identity
    clean: bool
    outbox: Outbox
    filters: set[str] = field(default_factory=set)
    link: Link | None = None
    will: Message | None = None


class Router:
    """Takes messages in and hands them to the sessions that asked for them and may have them."""

    def __init__(self, problem: Callable[[str, str], None], limits: Limits | None = None) -> None:
        self._problem = problem
        self._limits = limits or Limits()
        self._sessions: dict[str, Session] = {}
        self._retained: dict[str, Message] = {}
        self._exact: dict[str, dict[Session, int]] = defaultdict(dict)
        self._wild: dict[str, dict[Session, int]] = defaultdict(dict)

    def attach(
        self, link: Link, identity: acl.Identity, client_id: str, *, clean: bool, will: Message | None
    ) -> tuple[Session, bool]:
        """Give a connection its session; True when it is an earlier one.

        A connection that holds it is superseded first, and its will sent.
        """
        session = self._sessions.get(client_id)
        if session is not None and session.link is not None:
            session.link.supersede()
            session = self._sessions.get(client_id)
        present = session is not None and not clean
        if session is None or clean:
            self._forget(client_id)
            session = Session(client_id, identity, clean, Outbox(self._limits))
            self._sessions[client_id] = session
        session.identity, session.clean, session.link, session.will = identity, clean, link, will
        session.outbox.wake = link.wake
        return session, present

    def detach(self, session: Session, *, orderly: bool) -> None:
        """Note that a session's connection ended; unless that was orderly its will is sent."""
        will, session.will, session.link = session.will, None, None
        session.outbox.wake = _nothing
        session.outbox.rewind()
        if session.clean:
            self._forget(session.client_id)
        if will is not None and not orderly:
            self.publish(will)

    def publish(self, message: Message) -> None:
        """Retain a message if asked, and queue it for every session that subscribed and may receive it."""
        if message.retain:
            self._retain(message)
        for session, qos in self._subscribers(message.topic).items():
            self._deliver(session, replace(message, qos=min(qos, message.qos), retain=False))

    def subscribe(self, session: Session, name: str, qos: int) -> int:
        """Subscribe a session; the granted QoS, or ``REFUSED_FILTER``."""
        reason = _bad_filter(name) or acl.may(session.identity, "subscribe", name)
        if reason is None and name not in session.filters and len(session.filters) >= MAX_FILTERS:
            reason = "too_many_filters"
        if reason is not None:
            self._problem(reason, f"{session.client_id} may not subscribe to {name!r}")
            return REFUSED_FILTER
        session.filters.add(name)
        self._table(name)[name][session] = qos
        return qos

    def send_retained(self, session: Session, name: str, qos: int) -> None:
        """Queue the retained messages that match a new subscription."""
        for topic, message in self._retained.items():
            if matches(name, topic):
                self._deliver(session, replace(message, qos=min(qos, message.qos)))

    def unsubscribe(self, session: Session, name: str) -> None:
        """Undo a subscription; unknown ones are ignored."""
        session.filters.discard(name)
        table = self._table(name)
        if name in table:
            table[name].pop(session, None)
            if not table[name]:
                del table[name]

    def _deliver(self, session: Session, message: Message) -> None:
        if session.link is None and message.qos == 0:
            return
        reason = acl.may(session.identity, "receive", message.topic)
        if reason is None:
            reason = session.outbox.offer(message)
            if reason is not None:
                self._problem(reason, f"{session.client_id} reads too slowly: {message.topic} dropped")

    def _retain(self, message: Message) -> None:
        """Keep the last message of a topic; an empty one clears it (MQTT 3.1.1, 3.3.1.3)."""
        if message.payload:
            self._retained[message.topic] = message
        else:
            self._retained.pop(message.topic, None)

    def _subscribers(self, topic: str) -> dict[Session, int]:
        """Return each session once, with the highest QoS of its matching filters."""
        found: dict[Session, int] = {}
        for session, qos in self._candidates(topic):
            found[session] = max(qos, found.get(session, 0))
        return found

    def _candidates(self, topic: str) -> Iterator[tuple[Session, int]]:
        if topic in self._exact:
            yield from self._exact[topic].items()
        for name, sessions in self._wild.items():
            if matches(name, topic):
                yield from sessions.items()

    def _table(self, name: str) -> dict[str, dict[Session, int]]:
        return self._wild if "+" in name or "#" in name else self._exact

    def _forget(self, client_id: str) -> None:
        session = self._sessions.pop(client_id, None)
        if session is not None:
            for name in list(session.filters):
                self.unsubscribe(session, name)


def matches(name: str, topic: str) -> bool:
    """Whether a filter matches a topic (MQTT 3.1.1, 4.7)."""
    if topic.startswith("$") and not name.startswith("$"):
        return False
    wanted, levels = name.split("/"), topic.split("/")
    if wanted[-1] == "#":
        wanted.pop()
        levels = levels[: len(wanted)]
    return len(wanted) == len(levels) and all(w in {"+", t} for w, t in zip(wanted, levels, strict=True))


def _bad_filter(name: str) -> str | None:
    levels = name.split("/")
    wrong = any(("#" in lv and (lv != "#" or i != len(levels) - 1)) for i, lv in enumerate(levels))
    wrong = wrong or any("+" in level and level != "+" for level in levels)
    return "bad_filter" if wrong or not name else None


def _nothing() -> None:
    """Nobody is connected, nobody to wake."""
