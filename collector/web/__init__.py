"""The dashboard, the API and the live feed: a process of its own that shares only state and store."""
