"""A small physical model of facilities: mains, batteries, links, traffic, people. Deterministic by seed.

Nothing here does I/O or reads a clock: every function takes the time (``_ms``, milliseconds since 1970
UTC). What depends on time alone (voltage, clients) is a pure function of seed and time; what has a memory
(batteries, counters) advances in fixed ticks, so that the result does not depend on who asks when.
"""
