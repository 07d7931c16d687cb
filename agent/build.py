"""The agent's composition root: a checked configuration in, a running agent's parts out."""

from agent import identity as who
from agent import own_state
from agent import readers as reader_table
from agent.acks import AckReader
from agent.errors import AgentError, ConfigError
from agent.identity import Identity
from agent.keeper import Keeper
from agent.log import Log
from agent.loop import Agent, Parts
from agent.ports.files import Files
from agent.ports.memory import recycle_early
from agent.ports.supervisor import Supervisor
from agent.publisher import Publisher, Timers
from agent.sampler import Sampler
from agent.samples import packed
from agent.sealer import Envelope, Sealer
from agent.spool import Spool
from agent.transport.address import Address

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

    from agent.readers.port import Reader
    from agent.samples import Sample
    from agent.sealer import Signer
    from agent.timing import Clock
    from agent.transport.contract import Transport

KEY_BYTES = 32
_KIB = 1024


def build(  # noqa: PLR0913 - what tests and simulators bring of their own
    config: "dict[str, Any]",
    *,
    clock: "Clock | None" = None,
    readers: "list[Reader] | None" = None,
    transport: "Transport | None" = None,
    signer: "Signer | None" = None,
    fs: "Files | None" = None,
    log: "Log | None" = None,
) -> Agent:
    """Return an agent for a checked ``config``; None stands for the real part. Raises ConfigError.

    Call it in a running event loop. It counts this start in the boot counter and takes up the spool.
    """
    clock = clock or system_clock()
    log = log or Log(clock.uptime_ms)
    files = fs or Files()
    signer = signer or device_signer(config)
    transport = transport or device_transport(config, clock)
    readers = reader_table.build(config, clock) if readers is None else readers
    folders = _folders(config)
    in_flight = who.ended_in_flight(files, folders)
    boot, saved = who.count_boot(files, folders, log)
    identity = Identity(config, clock, boot, who.hello(config, readers))
    spool = Spool(files, folders, config["spool"]["limit_kib"] * _KIB, log)
    spool.recover(identity.device, identity.kernel_boot)
    if in_flight and not spool.continued:
        spool.tell("ram_wiped")
    sealer = Sealer(identity, Envelope(identity, clock, signer), spool)
    acks = AckReader(ack_key(config), signer.kid, identity.incarnation, spool, old_ack_keys(config))
    publisher = Publisher(clock, transport, spool, sealer, acks, _timers(config), log)
    parts = Parts(identity, clock, log, spool, sealer, publisher, Keeper())
    agent = Agent(parts, readers, _ms(config, "frame_s"), boot_unsaved=not saved)
    agent.all_kept = lambda: who.mark_stopped(files, folders, boot, log)
    supervisor = Supervisor()

    def after_frame() -> None:
        own_state.save(files, folders[0], own_state.told(agent.status(), clock), log)
        supervisor.well()

    agent.after_frame = after_frame
    supervisor.ready(_ms(config, "frame_s"))
    if config["status_page"]["address"] is not None:
        _serve_page(config, agent)
    recycle_early()
    return agent


def _serve_page(config: "dict[str, Any]", agent: Agent) -> None:
    """Give the agent its page; a machine without one does not even load its words."""
    from agent.status_page import Latest, StatusPage  # noqa: PLC0415 - as said

    latest = Latest(agent.parts.clock)
    agent.sampler.on_reading = latest.take
    agent.page = StatusPage(dict(config), latest, agent.status, agent.parts.clock, agent.parts.log)


def own_summary(config: "dict[str, Any]") -> "dict[str, Any]":
    """Return what an agent that runs with this configuration last said of itself; see agent.own_state."""
    content = own_state.load(Files(), config["spool"]["ram_dir"])
    return own_state.summary(content, system_clock(), _ms(config, "frame_s"))


async def read_once(config: "dict[str, Any]") -> "list[tuple[str, list[Sample], str]]":
    """Read every reader once; return (name, samples, error text or empty) of each."""
    recycle_early()
    clock = system_clock()
    sampler = Sampler(clock, reader_table.build(config, clock), _silent(clock), _no_event)
    try:
        return await sampler.read_once()
    finally:
        await sampler.stop()


async def seal_once(config: "dict[str, Any]") -> bytes:
    """Return one signed ``data`` frame with everything read once; nothing is spooled, sent or counted."""
    clock = system_clock()
    signer = device_signer(config)
    boot = who.read_boot(Files(), _folders(config))
    identity = Identity(config, clock, boot, {})
    samples = [sample for _, found, _ in await read_once(config) for sample in found]
    envelope = Envelope(identity, clock, signer)
    message = await envelope.message("data", packed(samples), seq=0)
    if message is None:
        raise AgentError("oversized", "what was read does not fit into one frame")
    return bytes(message)


def system_clock() -> "Clock":
    """Return the machine's clock."""
    from agent.ports.clock import SystemClock  # noqa: PLC0415 - probes the machine; tests bring their own

    return SystemClock()


def device_signer(config: "dict[str, Any]") -> "Signer":
    """Return the signer of the device's key: native where its library is installed. Raises ConfigError."""
    key = secret(config["broker"]["key"])
    try:
        from agent.cpython.signer import Signer as Native  # noqa: PLC0415 - an extra
    except ImportError:
        from agent.signer import Signer as Portable  # noqa: PLC0415 - has a table of 16 KiB

        return Portable(key)
    return Native(key)


def device_transport(config: "dict[str, Any]", clock: "Clock") -> "Transport":
    """Return the transport to the configured broker: paho's where it is installed. Raises ConfigError."""
    broker = config["broker"]
    address = Address(broker["host"], broker["port"], config["device"], config["intervals"]["keepalive_s"])
    ca, cert, key = secret(broker["ca"]), secret(broker["cert"]), secret(broker["key"])
    try:
        from agent.cpython.paho_transport import PahoTransport  # noqa: PLC0415 - an extra
        from agent.cpython.tls import client_context  # noqa: PLC0415 - same
    except ImportError:
        return portable_transport(address, clock, ca, cert, key)
    return PahoTransport(address, client_context(ca, cert, key))


def portable_transport(address: Address, clock: "Clock", ca: bytes, cert: bytes, key: bytes) -> "Transport":
    """Return our own MQTT client with these credentials (DER). Raises ConfigError."""
    from agent.transport.mqtt_client import MqttTransport  # noqa: PLC0415 - not where paho is
    from agent.transport.resolver import Resolver  # noqa: PLC0415 - same
    from agent.transport.tls import Dialer  # noqa: PLC0415 - same

    return MqttTransport(address, Dialer(clock, Resolver(clock), ca, cert, key), clock)


def ack_key(config: "dict[str, Any]") -> bytes:
    """Return the 32 bytes that authenticate acks. Raises ConfigError."""
    return _ack_key(config["broker"]["ack_key"])


def old_ack_keys(config: "dict[str, Any]") -> dict[bytes, bytes]:
    """Return, by kid, the keys of acks for frames sealed under this device's earlier keys."""
    return {bytes.fromhex(kid): _ack_key(path) for kid, path in config["broker"]["old_ack_keys"].items()}


def _ack_key(path: str) -> bytes:
    key = secret(path)
    if len(key) != KEY_BYTES:
        raise ConfigError("bad_key", path + " has to hold " + str(KEY_BYTES) + " bytes")
    return key


def secret(path: str) -> bytes:
    """Return the content of a key or certificate file. Raises ConfigError."""
    try:
        return Files().read(path)
    except OSError as error:
        raise ConfigError("unreadable", path + " cannot be read: " + str(error))


def _folders(config: "dict[str, Any]") -> "tuple[str, str | None]":
    return config["spool"]["ram_dir"], config["spool"]["flash_dir"]


def _timers(config: "dict[str, Any]") -> Timers:
    return Timers(_ms(config, "resend_s"), _ms(config, "reconnect_s"))


def _ms(config: "dict[str, Any]", name: str) -> int:
    return int(config["intervals"][name] * 1000)


def _silent(clock: "Clock") -> Log:
    """Return a log that keeps quiet: who asked for one reading sees the errors in its result."""
    return Log(clock.uptime_ms, len)


async def _no_event(samples: "list[Sample]") -> None:
    """Nothing turns between one reading and none."""
