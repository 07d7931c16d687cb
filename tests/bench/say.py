"""Figures go to standard output, line by line, as they come."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """Write a line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
