"""The command line `herhaal`; each command's own module is imported when it is called."""
