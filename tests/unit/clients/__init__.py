"""Unit tests of the client in `clients/python/`, without servers."""
