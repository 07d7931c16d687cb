"""Topic names (WIRE.md section 1). A frame is signed together with its topic."""

import hashlib

from agent.wire.errors import WireError

KINDS = ("birth", "data", "event", "death", "ack")
SHARDS = "0123456789abcdef"

_ROOT = "vigia/v1/"
_FIRST = "abcdefghijklmnopqrstuvwxyz0123456789"
_PARTS = 5
_MAX_DEVICE = 63  # of a DNS label: the name is also the certificate's common name


def shard_of(site: str) -> str:
    """Return the shard of a site: the first hex digit of SHA-256 of its id."""
    return SHARDS[hashlib.sha256(site.encode()).digest()[0] >> 4]


def valid_device(name: str) -> bool:
    """Tell whether ``name`` matches ``[a-z0-9][a-z0-9-]{0,62}`` and is not one of the centre's own."""
    if not name or len(name) > _MAX_DEVICE or name[0] not in _FIRST or name.startswith("vigia-"):
        return False
    return not name.strip(_FIRST + "-")  # what is left is, or begins with, another character


def make(shard: str, device: str, kind: str) -> str:
    """Return ``vigia/v1/<shard>/<device>/<kind>``. Raises WireError ``bad_topic``."""
    if not (_valid_shard(shard) and valid_device(device) and kind in KINDS):
        raise WireError("bad_topic", "no such topic: " + repr((shard, device, kind)))
    return _ROOT + shard + "/" + device + "/" + kind


def parse(topic: str) -> tuple[str, str, str]:
    """Return (shard, device, kind) of a device's topic. Raises WireError ``bad_topic``."""
    parts = topic.split("/")
    if len(parts) != _PARTS or not topic.startswith(_ROOT):
        raise WireError("bad_topic", "not a topic of this contract: " + repr(topic))
    shard, device, kind = parts[2], parts[3], parts[4]
    if not (_valid_shard(shard) and valid_device(device) and kind in KINDS):
        raise WireError("bad_topic", "not a topic of this contract: " + repr(topic))
    return shard, device, kind


def status(shard: str) -> str:
    """Return the topic on which the shard's collector is retained as online or offline."""
    if not _valid_shard(shard):
        raise WireError("bad_topic", "no such shard: " + repr(shard))
    return _ROOT + shard + "/collector"


def _valid_shard(shard: str) -> bool:
    return len(shard) == 1 and shard in SHARDS
