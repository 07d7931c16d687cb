"""Scenario files: what is built, what happens, what the centre knows of it. `docs/scenarios.md` is the word.

    load.scenario(path) -> model.Scenario    or load.ScenarioError: one line for each fault, with its place

Nothing here simulates: `simulators.world` does that with what a scenario says.
"""
