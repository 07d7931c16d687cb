"""The centre: receives, stores, judges, alerts, shows."""

from importlib.metadata import version

__version__ = version("vigia")
