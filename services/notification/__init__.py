"""notification: sends patients the answer to their orders, and when and where to collect."""
