"""Make written data last: fsync of a file and of the folder that names it. Both raise OSError."""

import os

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable

_READ_ONLY = 0  # O_RDONLY, the same on every Linux


def _from_libc() -> "tuple[Callable[[int], None], Callable[[str, int], int], Callable[[int], None]]":
    """Return fsync, open and close of the C library this interpreter is linked with (musl or glibc)."""
    import ffi  # type: ignore[import-not-found]  # noqa: PLC0415 - MicroPython's own module

    libc = ffi.open(None)

    def checked(call: "Callable[..., int]") -> "Callable[..., int]":
        def run(*args: "int | str") -> int:
            result = call(*args)
            if result < 0:
                raise OSError("a call of the C library failed")
            return result

        return run

    names = (("fsync", "i"), ("open", "si"), ("close", "i"))
    fsync_, open_, close_ = [checked(libc.func("i", name, args)) for name, args in names]
    return fsync_, open_, close_  # type: ignore[return-value]  # the results of fsync and close are not used


if hasattr(os, "fsync"):
    _fsync: "Callable[[int], None]" = os.fsync
    _open: "Callable[[str, int], int]" = os.open
    _close: "Callable[[int], None]" = os.close
else:
    _fsync, _open, _close = _from_libc()


def fsync(descriptor: int) -> None:
    """Return when the data of an open file are on the medium."""
    _fsync(descriptor)


def fsync_folder(path: str) -> None:
    """Return when the names in a folder are on the medium."""
    descriptor = _open(path, _READ_ONLY)
    try:
        _fsync(descriptor)
    finally:
        _close(descriptor)
