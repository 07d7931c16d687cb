"""Chaos: real agents, Mosquitto, ingest and InfluxDB, with faults at random and at every stage boundary."""
