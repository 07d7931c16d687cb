"""What differs between CPython and MicroPython, behind one set of functions.

A module here probes once, at its top, for what the interpreter has; nothing elsewhere asks which one runs.
"""
