"""Frames: samples in, signed messages into the spool. The only place that counts ``seq``.

A frame counts as sealed once it is in the spool; signing goes on one frame at a time, so that seqs have no
holes of our making.
"""

import asyncio

from agent.ports.memory import fitting
from agent.samples import count, halves, packed, since, tables
from agent.segment import Record
from agent.wire import cose, frame, topics
from agent.wire.errors import WireError

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Protocol

    from agent.identity import Identity
    from agent.samples import Parts, Sample
    from agent.shelf import Entry
    from agent.spool import Spool
    from agent.timing import Clock

    class Signer(Protocol):
        """The device's P-256 key. ``kid`` is the first 8 bytes of SHA-256 of its SPKI."""

        kid: bytes

        async def sign(self, digest: bytes) -> bytes:
            """Return r and s, 64 bytes, of ECDSA over the SHA-256 of a message."""


ENVELOPE_BYTES = 100  # COSE tag, heads, protected header and signature take 91
MAX_PAYLOAD = fitting(cose.MAX_BYTES, 4) - ENVELOPE_BYTES  # a heap must hold it more than once
_USUAL_BYTES = 5120  # of a spooled frame with every reader in it (4,500 measured)


class Envelope:
    """Makes signed messages of one incarnation of one device, one at a time."""

    def __init__(self, identity: "Identity", clock: "Clock", signer: "Signer") -> None:
        """Sign with the device's key."""
        self._identity = identity
        self._clock = clock
        self._signer = signer
        self._header = cose.protected(cose.ES256, signer.kid)
        # A small heap has such a piece when the agent starts, but not for ever: what is taken here stays.
        self._out = bytearray(min(MAX_PAYLOAD, _USUAL_BYTES))
        self.dropped_samples = 0  # too old, or too big for any message

    def topic(self, kind: str) -> str:
        """Return the topic of this device's frames of one kind."""
        return topics.make(self._identity.shard, self._identity.device, kind)

    async def message(self, kind: str, parts: "Parts", **more: "Any") -> "bytearray | None":
        """Return the message for this kind's topic as of now, None when it would be too long.

        ``more`` are the keys that the kind carries. The next message is made in the same place: who wants to
        keep this one copies it.
        """
        out = self._out
        out[:] = b""  # MicroPython keeps the memory, as is wanted
        try:
            self._write(out, kind, parts, **more)
        except WireError as error:
            if error.reason != "oversized":
                raise
            return None
        if len(out) > MAX_PAYLOAD:
            return None
        signature = await self._signer.sign(cose.digest(self._header, self.topic(kind).encode(), out))
        cose.seal1(self._header, out, signature)
        return out

    def _write(self, out: bytearray, kind: str, parts: "Parts", **more: "Any") -> None:
        me = self._identity
        now_ms = self._clock.uptime_ms()
        fresh = since(parts, now_ms - frame.MAX_AGE_MS)
        self.dropped_samples += count(parts) - count(fresh)
        frame.encode_payload(
            kind,
            device=me.device,
            incarnation=me.incarnation,
            boot=me.boot,
            kernel_boot=me.kernel_boot,
            uptime_ms=now_ms,
            wall_ms=self._clock.wall_ms(),
            tables=tables(fresh, now_ms, MAX_PAYLOAD),
            out=out,
            **more,
        )


class Sealer:
    """Seals into the spool; ``sealed`` is called with each entry of it."""

    def __init__(self, identity: "Identity", envelope: Envelope, spool: "Spool") -> None:
        """Begin at seq 0."""
        self._identity = identity
        self._envelope = envelope
        self._spool = spool
        self._lock = asyncio.Lock()
        self.sealed: "Callable[[Entry], None]" = _nobody
        self.lost_samples: "Callable[[], int]" = _none  # asks who else loses samples
        self.next_seq = 0
        self._told_samples = 0  # of those lost, how many the account has

    async def data(self, parts: "Parts") -> None:
        """Seal samples, in as many ``data`` frames as it takes."""
        await self._split("data", parts)

    async def event(self, samples: "Iterable[Sample]", *, stop: bool = False) -> "Entry | None":
        """Seal at once what turned, or with ``stop`` the planned end."""
        return await self._split("event", packed(samples), stop=stop)

    async def birth(self, session: int) -> "Entry | None":
        """Seal who this is, for the n-th connection of this incarnation."""
        return await self._split("birth", [], session=session, hello=self._identity.hello)

    async def death(self, session: int) -> tuple[str, bytes]:
        """Return (topic, message) of the will for the n-th connection; it is neither numbered nor spooled."""
        async with self._lock:
            account = self._account()
            message = await self._envelope.message("death", [], session=session, dropped=account)
            return self._envelope.topic("death"), bytes(message or b"")

    def own_topic(self) -> str:
        """Return the topic of this device's data."""
        return self._envelope.topic("data")

    async def _split(self, kind: str, parts: "Parts", **more: "Any") -> "Entry | None":
        """Seal; halve what does not fit into one message; return the last entry."""
        async with self._lock:
            entry = None
            rest = [parts]
            while rest:
                part = rest.pop(0)
                account = self._account()
                message = await self._envelope.message(kind, part, seq=self.next_seq, dropped=account, **more)
                two = None if message else halves(part)
                if message:
                    entry = self._spooled(kind, message)
                elif two:
                    rest = [two[0], two[1]] + rest  # noqa: RUF005 - for MicroPython
                else:
                    self._envelope.dropped_samples += count(part)
            return entry

    def _spooled(self, kind: str, message: bytearray) -> "Entry":
        me = self._identity
        topic = self._envelope.topic(kind)
        entry = self._spool.add(Record(kind, me.boot, me.incarnation, self.next_seq, topic, message))
        self.next_seq += 1
        self.sealed(entry)
        return entry

    def _account(self) -> dict[str, int]:
        lost = self._envelope.dropped_samples + self.lost_samples()
        if lost > self._told_samples:
            self._spool.tell("samples", lost - self._told_samples)
            self._told_samples = lost
        return dict(self._spool.dropped)


def _nobody(entry: "Entry") -> None:
    """Nobody waits for sealed frames yet."""


def _none() -> int:
    return 0
