"""Made-up patients, orders and region: the same for every engine, and the same in every run."""
