"""Made-up patients, orders and region, the same for every engine and run."""
