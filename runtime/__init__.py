"""How every service runs: loop, outbox, dead letters, HTTP. Contains no medical knowledge."""
