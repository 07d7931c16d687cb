"""The agent: sampler, spool, publisher, link and command line."""
