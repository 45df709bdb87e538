"""The loop: poll, parse, load, decide, save, publish; with assignment, outbox relay and watchdog."""
