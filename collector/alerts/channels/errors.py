"""What a channel may say when it did not take a message."""

from __future__ import annotations

from collector.errors import TemporaryError, VigiaError


class TemporaryChannelError(TemporaryError):
    """The channel does not take the message now; it may later."""


class PermanentChannelError(VigiaError):
    """The channel will never take this message."""
