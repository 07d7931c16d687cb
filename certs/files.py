"""Files that appear whole or not at all; private ones are never readable by others, not for an instant."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from certs.errors import CertsError

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE = 0o600
PUBLIC = 0o644


def write(path: Path, data: bytes, *, private: bool = False) -> None:
    """Put ``data`` at ``path``, replacing what was there in one step; 0600 if ``private``, else 0644."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        _fill(temporary, data, PRIVATE if private else PUBLIC)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise CertsError(f"{path}: cannot be written: {error.strerror}") from error


def read(path: Path) -> bytes:
    """Everything in ``path``; ``CertsError`` when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertsError(f"{path}: cannot be read: {error.strerror}") from error


def make_folder(path: Path, mode: int = 0o755) -> None:
    """Make a folder and those above it; the folder itself gets ``mode`` whatever the umask says."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
    except OSError as error:
        raise CertsError(f"{path}: cannot be made: {error.strerror}") from error


def _fill(path: Path, data: bytes, mode: int) -> None:
    """Write a new file with its final permissions from the first moment, and flush it to the disk."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(number, "wb") as file:
        os.fchmod(number, mode)  # the umask may have taken bits away
        file.write(data)
        file.flush()
        os.fsync(number)
