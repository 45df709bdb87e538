"""Load generators, each a separate process, so that their cost is not counted for the measured one."""
