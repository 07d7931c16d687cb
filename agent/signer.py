"""The device's key without a library: P-256 in Python, in slices that let the loop run in between.

One signature takes about 40 ms of a MIPS 24Kc, one slice about 5. Signatures go one after the other: two at
once would only make both late.
"""

import asyncio

from agent.errors import ConfigError
from agent.key_der import scalar
from agent.wire import cose, p256
from agent.wire.errors import WireError


class Signer:
    """Signs with ES256. ``key`` is PKCS #8 or SEC 1 in DER; ConfigError ``bad_key`` for anything else."""

    def __init__(self, key: bytes) -> None:
        """Compute the public key, once."""
        self._scalar = scalar(key)
        self._turn = asyncio.Lock()
        try:
            self.kid = cose.key_id(p256.spki(self._scalar))
        except WireError as error:
            raise ConfigError(error.reason, "the device's key cannot be used: " + str(error))

    async def sign(self, digest: bytes) -> bytes:
        """Return r and s, 64 bytes, of a message's SHA-256 (RFC 9053 section 2.1)."""
        async with self._turn:
            return await p256.sign_slow(self._scalar, digest, _pause)


async def _pause() -> None:
    await asyncio.sleep(0)
