"""The command line `herhaal`. A command's module is imported only when the command is called."""
