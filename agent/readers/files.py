"""Reading small files of /proc and sysfs: a file that is not there or cannot be read is None, never an error.

Drivers answer EINVAL or ENODEV for values they do not have now (``speed`` of a port without a link, for
example), so "cannot be read" is an ordinary answer here. Nothing is read beyond ``LIMIT`` bytes.
"""

import os

LIMIT = 32768
_CHUNK = 1024  # MicroPython sets a whole read's size aside before it reads, out of a heap of 256 KiB


def read_bytes(path: str) -> bytes | None:
    """Return what is in a small file, or None."""
    try:
        with open(path, "rb") as file:
            parts = [file.read(_CHUNK)]
            while parts[-1] and len(parts) * _CHUNK < LIMIT:
                parts.append(file.read(_CHUNK))
        return b"".join(parts)
    except OSError:
        return None


def read_text(path: str) -> str | None:
    """Return the text of a small file without the white space around it, or None."""
    data = read_bytes(path)
    try:
        return None if data is None else data.decode().strip()
    except UnicodeError:
        return None


def read_int(path: str) -> int | None:
    """Return the whole number that a file consists of, or None."""
    text = read_text(path)
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def listing(path: str) -> list[str]:
    """Return the names in a folder, sorted; an absent folder is empty."""
    try:
        return sorted(os.listdir(path))
    except OSError:
        return []
