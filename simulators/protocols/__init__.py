"""Instruments that real programs plug into: upsd, mains meters on Modbus, OpenWrt's ubus, an impaired line.

Each server asks a source (``sources.py``) for present values and keeps none of its own. A source is a panel
of knobs that a person turns (``knobs.py``) or a place of the simulated world.
"""
