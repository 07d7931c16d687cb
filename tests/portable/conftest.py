"""These modules are run by run.py on both interpreters (tests/test_portable.py), not collected by pytest."""

collect_ignore_glob = ["test_*.py"]
