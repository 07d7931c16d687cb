"""Where messages go: one module per kind of channel, each with ``send``. Adding one: copy the nearest.

A channel is told apart by what it raises: ``TemporaryChannelError`` may work later, ``PermanentChannelError``
never will. It never waits and never tries again by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from collector.alerts.channels.apprise_channel import AppriseChannel

if TYPE_CHECKING:
    from collector.config import AlertsConfig, ChannelConfig


class Channel(Protocol):
    """A place that takes a message."""

    def send(self, title: str, body: str) -> None:
        """Return when a message was taken; ``TemporaryChannelError``, ``PermanentChannelError``."""


def build_channels(config: AlertsConfig) -> dict[str, Channel]:
    """Make the channels of a configuration, by name."""
    return {
        name: AppriseChannel(name, channel, config.timeout_ms) for name, channel in config.channels.items()
    }


def check_channel(name: str, config: ChannelConfig) -> None:
    """See that a channel's address is there and is one; ``ConfigError`` says what to do."""
    AppriseChannel(name, config, timeout_ms=1000).check()
