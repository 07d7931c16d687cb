"""The agent's error tree: says whose fault it is and carries a short named reason.

``reason`` is one lower-case word with underscores, for counters and tests; ``str(error)`` is one line for
people.
"""


class AgentError(Exception):
    """Anything the agent itself raises; ``reason`` names the kind."""

    def __init__(self, reason: str, text: str = "") -> None:
        """Keep ``reason`` (one word) beside the one-line ``text``."""
        super().__init__(text or reason)
        self.reason = reason


class ReaderError(AgentError):
    """A reader could not read what it reads now: a known failure, worth another try at the next interval."""


class LinkError(AgentError):
    """The link to the broker could not be made or was lost; the publisher tries again."""


class ConfigError(AgentError):
    """The configuration cannot be used; a person has to change it."""


class SpoolError(AgentError):
    """The file system refused a write, read or removal (full, read-only, broken)."""


class StateError(AgentError):
    """Our own bug: an event that the state table does not allow in this state."""
