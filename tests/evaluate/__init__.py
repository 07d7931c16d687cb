"""Scoring: what the rules said against what was true."""
