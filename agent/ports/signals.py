"""SIGTERM and SIGINT as an event of the loop."""

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    import asyncio

try:
    from agent.cpython.signals import stop_on_signals as stop_on_signals  # noqa: PLC0414 - exported
except (
    ImportError
):  # MicroPython: SIGINT is KeyboardInterrupt; libc's signal(2) by ffi cannot call back safely

    def stop_on_signals(stop: "asyncio.Event") -> None:
        """Leave signals as they are."""
