"""News: what happens to somebody's orders and messages, passed on to the open pages of one browser."""
