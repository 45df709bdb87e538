"""Processes of the local stack: started, watched, started again, stopped."""
