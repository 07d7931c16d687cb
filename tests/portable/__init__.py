"""Tests that run unchanged on CPython and MicroPython; see run.py."""
