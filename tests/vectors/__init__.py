"""Published examples of the wire contract, and the scripts that make them."""
