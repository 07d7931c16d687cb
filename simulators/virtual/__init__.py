"""Virtual time: the real agent, the real reception and the real rules, hours of them in seconds.

What is left out is what time and chance do not touch: a signature is made of zeros and not verified, MQTT is
a list in memory, the store only counts. Everything from reading to spool, and from reception to incident, is
the product's own.
"""
