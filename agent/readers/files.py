"""Reading small files of /proc and sysfs: a file that is not there or cannot be read is None, never an error.

Drivers answer EINVAL or ENODEV for values they do not have now (``speed`` of a port without a link, for
example), so "cannot be read" is an ordinary answer here. Nothing is read beyond ``LIMIT`` bytes.
"""

import os

LIMIT = 32768
# all files are read here: MicroPython sets a whole read's size aside before it reads a few bytes
_chunk = memoryview(bytearray(1024))


def read_bytes(path: str, until: bytes = b"") -> bytes | None:
    """Return what is in a small file, or None; reading ends with the chunk that has ``until`` in it."""
    parts: list[bytes] = []
    try:
        with open(path, "rb") as file:
            count = file.readinto(_chunk)
            while count:
                parts.append(bytes(_chunk[:count]))
                done = (until and until in parts[-1]) or len(parts) * len(_chunk) >= LIMIT
                count = 0 if done else file.readinto(_chunk)
    except OSError:
        return None
    return parts[0] if len(parts) == 1 else b"".join(parts)


def read_text(path: str, until: bytes = b"") -> str | None:
    """Return the text of a small file without the white space around it, or None."""
    data = read_bytes(path, until)
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
