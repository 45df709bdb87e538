"""Unit tests of the portal, without servers."""
