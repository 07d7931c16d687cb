"""The certificate authority: keys and certificates of the broker, the collector and the devices.

Everything lives in one folder (``authority.Authority``). Private files are 0600 and appear whole or not
at all.
"""
