"""`herhaal rebuild` on real Kafka and PostgreSQL."""
