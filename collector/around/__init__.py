"""What lies beyond a site, out of SQL, in the form in which the rules take it."""
