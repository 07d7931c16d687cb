"""The agent: reads a device's sensors, seals what it read, keeps it until the centre has stored it."""

__version__ = "0.1.0"
