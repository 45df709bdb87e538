"""notification: tells patients what became of their orders, and when and where to collect."""
