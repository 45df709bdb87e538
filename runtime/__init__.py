"""The technical half of every service: the loop, outbox, dead letters, HTTP. It knows no medicine."""
