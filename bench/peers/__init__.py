"""The programs of the peers, each a separate process."""
