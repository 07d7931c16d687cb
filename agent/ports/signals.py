"""SIGTERM (on CPython also SIGINT) as an event of the loop: ``stop_on_signals(stop)``, called in the loop."""

try:
    from agent.cpython.signals import stop_on_signals as stop_on_signals  # noqa: PLC0414 - exported
except ImportError:
    from agent.ports.micropython import stop_on_signals as stop_on_signals  # noqa: PLC0414 - exported
