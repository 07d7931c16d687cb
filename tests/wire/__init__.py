"""Tests of the wire contract on CPython, against independent implementations."""
