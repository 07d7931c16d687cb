"""What ends a demonstration early, in one line that says what to do."""

from __future__ import annotations


class DemoError(Exception):
    """The demonstration cannot go on."""
