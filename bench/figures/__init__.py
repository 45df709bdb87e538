"""The figures of the benchmark, each a module that gives its rows."""
