"""Who may do what. Pure: each question is answered by None (allowed) or by the reason why not.

The same rules as ``certs/mosquitto.py`` writes for Mosquitto; tests/broker holds both to one suite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent.wire import topics
from agent.wire.errors import WireError

Role = Literal["device", "collector"]
Action = Literal["publish", "subscribe", "receive"]

COLLECTOR = "vigia-collector"
UP = frozenset(("birth", "data", "event", "death"))

_ROOT = ["vigia", "v1"]
_ANY_SHARD = frozenset((*topics.SHARDS, "+"))


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose certificate the connection presented, and at which of the two doors."""

    name: str
    role: Role


def may_enter(identity: Identity) -> str | None:
    """Whether this certificate is good for this listener."""
    good = identity.name == COLLECTOR if identity.role == "collector" else topics.valid_device(identity.name)
    return None if good else "wrong_listener"


def may_connect(identity: Identity, client_id: str) -> str | None:
    """Whether the client id is its own: else it could take over, or delete, another's session."""
    if identity.role == "device":
        return None if client_id == identity.name else "foreign_client_id"
    return None if client_id.startswith("vigia-") else "foreign_client_id"


def may(identity: Identity, action: Action, topic: str) -> str | None:
    """Whether ``identity`` may publish to a topic, receive from it, or subscribe to a filter."""
    return _RULES[identity.role, action](identity.name, topic)


def _device_publish(name: str, topic: str) -> str | None:
    try:
        _shard, device, kind = topics.parse(topic)
    except WireError as error:
        return error.reason
    if device != name:
        return "foreign_name"
    return None if kind in UP else "wrong_kind"


def _device_read(name: str, topic: str) -> str | None:
    """Allow a device its own acks and the collector's status, in one shard or in all (``+``)."""
    match topic.split("/"):
        case [*root, shard, "collector"] if root == _ROOT and shard in _ANY_SHARD:
            return None
        case [*root, shard, device, "ack"] if root == _ROOT and shard in _ANY_SHARD:
            return None if device == name else "foreign_name"
    return "not_readable"


def _collector_publish(_name: str, topic: str) -> str | None:
    match topic.split("/"):
        case ["vigia", "probe", _]:
            return None
        case [*root, shard, "collector"] if root == _ROOT and shard in topics.SHARDS:
            return None
        case [*root, _shard, _device, "ack"] if root == _ROOT:
            return _reason_of(topic)
    return "wrong_kind"


def _collector_receive(_name: str, topic: str) -> str | None:
    """Let it have what devices say, the status and its own probes; not the acks it sent itself."""
    match topic.split("/"):
        case ["vigia", "probe", _] | ["vigia", "v1", _, "collector"]:
            return None
        case ["vigia", "v1", _, _, kind] if kind in UP:
            return None
    return "not_readable"


def _collector_subscribe(_name: str, topic: str) -> str | None:
    return None if topic.startswith("vigia/") else "not_readable"


def _reason_of(topic: str) -> str | None:
    try:
        topics.parse(topic)
    except WireError as error:
        return error.reason
    return None


_RULES = {
    ("device", "publish"): _device_publish,
    ("device", "subscribe"): _device_read,
    ("device", "receive"): _device_read,
    ("collector", "publish"): _collector_publish,
    ("collector", "subscribe"): _collector_subscribe,
    ("collector", "receive"): _collector_receive,
}
