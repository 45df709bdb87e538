"""The HTTP adapter: requests, problems, long polls, load shedding."""
