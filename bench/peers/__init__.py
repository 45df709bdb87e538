"""The peers' own programs, each a process of its own."""
