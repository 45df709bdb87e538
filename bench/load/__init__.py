"""Load and its measuring, each a process of its own: what it costs is not the measured one's."""
