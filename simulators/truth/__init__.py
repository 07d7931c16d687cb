"""What is true of a scenario, by physics alone: no agent, no message, no rule takes part.

``docs/scenarios.md`` ("What is true") says the same in words and holds the tables.
"""
