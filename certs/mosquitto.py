"""Mosquitto's configuration and access list, for the guarantees that the wire contract makes.

What Mosquitto 2 does with it (held by tests/broker): on the device listener the certificate's common name
*replaces* user name and client id, whatever the client claims, so that no device can take over or delete a
session that is not its own. The collector's listener trusts an authority of its own, which issues nothing
but the collector's certificate: a device does not get through the TLS handshake there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.wire.topics import SHARDS
from certs.names import COLLECTOR

if TYPE_CHECKING:
    from pathlib import Path

UP = ("data", "event", "birth", "death")  # most frequent first: Mosquitto tries patterns in order

# twice the ingest's batch of 500 and some: a full batch may wait for its acks while the next one fills
INFLIGHT = 2000
# one collector session, one shard: hours of a borough, half an hour of a city's sixteenth
QUEUED = 100_000
QUEUED_BYTES = 128 * 1024 * 1024
# a frame is at most 65,536 bytes; topic and header take less than 1,024
PACKET = 66_560

_CONF = """\
# Written by `vigia-certs export-mosquitto`. Complete: run `mosquitto -c {conf}`.
# The user Mosquitto runs as must be able to read {key} and to write {data}.

# People do not log in here: who you are is your certificate.
allow_anonymous false
allow_zero_length_clientid false
acl_file {acl}

# Sessions and queues outlive a restart. What a kill forgets, devices send again: they keep a frame
# until the collector itself acknowledges it.
persistence true
persistence_location {data}/
autosave_interval 300
persistent_client_expiration 14d

# Explicit, because 0 does not mean "no limit" everywhere.
max_inflight_messages {inflight}
max_queued_messages {queued}
max_queued_bytes {queued_bytes}
max_packet_size {packet}

set_tcp_nodelay true
sys_interval 0
log_dest stderr
log_type error
log_type warning
log_type notice
log_type information

# Devices. The certificate's common name becomes user name and client id.
listener {device_port}{device_bind}
cafile {device_ca}
certfile {cert}
keyfile {key}
tls_version tlsv1.2
require_certificate true
use_identity_as_username true
use_username_as_clientid true

# The collector. Another authority: device certificates do not work here.
listener {collector_port}{collector_bind}
cafile {collector_ca}
certfile {cert}
keyfile {key}
tls_version tlsv1.2
require_certificate true
use_identity_as_username true
"""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker listens and finds its files; an empty bind address means all addresses."""

    conf: Path
    acl: Path
    data: Path
    device_ca: Path
    collector_ca: Path
    cert: Path
    key: Path
    device_port: int
    collector_port: int
    device_bind: str = ""
    collector_bind: str = "127.0.0.1"


def conf(broker: Broker) -> str:
    """Return the text of ``mosquitto.conf``."""
    return _CONF.format(
        conf=broker.conf,
        acl=broker.acl,
        data=broker.data,
        device_ca=broker.device_ca,
        collector_ca=broker.collector_ca,
        cert=broker.cert,
        key=broker.key,
        device_port=broker.device_port,
        collector_port=broker.collector_port,
        device_bind=_bind(broker.device_bind),
        collector_bind=_bind(broker.collector_bind),
        inflight=INFLIGHT,
        queued=QUEUED,
        queued_bytes=QUEUED_BYTES,
        packet=PACKET,
    )


def acl() -> str:
    """Return the access list; shards are spelled out, or a device could retain topics without end."""
    collector = [
        f"user {COLLECTOR}",
        *(f"topic read vigia/v1/+/+/{kind}" for kind in UP),
        "topic write vigia/v1/+/+/ack",
        "topic readwrite vigia/v1/+/collector",
        "topic readwrite vigia/probe/+",
    ]
    device = [
        *(f"pattern write vigia/v1/{shard}/%u/{kind}" for kind in UP for shard in SHARDS),
        "pattern read vigia/v1/+/%u/ack",
        "pattern read vigia/v1/+/collector",
    ]
    head = "# Written by `vigia-certs export-mosquitto`. %u is the common name of the certificate."
    every = (
        "# Every device, under its own name only. (The status has no %u: Mosquitto warns of it, rightly so.)"
    )
    return "\n".join([head, "", *collector, "", every, *device, ""])


def _bind(address: str) -> str:
    return f" {address}" if address else ""
