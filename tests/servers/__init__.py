"""Real servers for the tests: each class starts one on a free port, in its own folder, and stops it."""
