"""Incidents and messages."""
