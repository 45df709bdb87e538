"""The PostgreSQL adapter: pools, migrations, statements of a batch, progress, outbox and timers."""
