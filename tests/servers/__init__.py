"""Real servers for the tests: each class starts one on a free port, in a folder of its own, and stops it by pid."""
