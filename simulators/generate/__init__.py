"""Scenarios drawn from how often things happen: what a few facilities live through in some hours.

The same seed and number give the same file. Frequencies and durations are in ``habits``; the awkward
coincidences are in ``awkward``, one function each; ``town`` builds the facilities.
"""
