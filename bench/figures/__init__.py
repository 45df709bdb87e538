"""The figures of the benchmark, a module for each."""
