"""Virtual time: the same twice, and the same with what it leaves out."""
