"""Made-up people, overviews and orders for the demo, the benchmark and the tests."""
