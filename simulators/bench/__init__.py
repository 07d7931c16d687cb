"""A bench: proves a router, a UPS or an alert on the table before somebody drives to where it belongs."""
