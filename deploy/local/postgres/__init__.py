"""PostgreSQL on this machine: its account, its process, the services' databases."""
