"""Whether the network of a site is there, and why not."""
