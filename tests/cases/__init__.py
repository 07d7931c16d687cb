"""Folders of captured or written input with what the readers must make of it; see README.md."""
