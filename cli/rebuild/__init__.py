"""`herhaal rebuild`: rebuild a service's projections from the topics and switch to them."""
