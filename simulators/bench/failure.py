"""What ends a bench early, in one line that says what to do."""

from __future__ import annotations


class BenchError(Exception):
    """The bench cannot go on."""
