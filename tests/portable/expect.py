"""The one assertion that plain ``assert`` lacks."""

from agent.wire.errors import WireError

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def refused(reason: str, function: "Callable[..., Any]", *arguments: "Any") -> None:
    """Assert that the call raises WireError with this reason."""
    try:
        result = function(*arguments)
    except WireError as error:
        assert error.reason == reason, (reason, str(error))
        return
    raise AssertionError("not refused as " + reason + ": " + repr(result))
