"""The instruments that real programs plug into."""
