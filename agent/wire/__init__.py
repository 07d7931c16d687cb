"""The wire contract between devices and centre: WIRE.md in code, without input or output."""
