"""What can go wrong here, in one line each."""

from __future__ import annotations


class CertsError(Exception):
    """The authority cannot do what was asked; nothing that existed was changed."""
