"""Whose fault it is: ours, the configuration's, the peer's; temporary or permanent."""

from __future__ import annotations


class VigiaError(Exception):
    """Base: a message of one line that says what to do."""


class ConfigError(VigiaError):
    """The configuration cannot be used; nothing was started."""


class TemporaryError(VigiaError):
    """A service we need does not answer now; the one place that retries will."""


class StoreUnavailableError(TemporaryError):
    """The store did not answer, or asked us to come back (5xx, 429, timeout)."""


class LeaseLostError(VigiaError):
    """Another worker holds the shard now; this one must stop writing at once."""
