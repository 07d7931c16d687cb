"""The rules, on a virtual clock."""
