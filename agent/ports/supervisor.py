"""Who watches over the agent: ``Supervisor().ready(interval_ms)`` once, then ``.well()`` after each frame."""

try:
    from agent.cpython.supervisor import Supervisor as Supervisor  # noqa: PLC0414 - exported
except ImportError:

    class Supervisor:  # type: ignore[no-redef]  # the same, quietly
        """procd starts again what ended and asks for no word."""

        def ready(self, _interval_ms: int) -> None:
            """Say nothing."""

        def well(self) -> None:
            """Say nothing."""
