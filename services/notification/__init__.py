"""notification: sends patients the answers to their orders, with the pickup window and the pharmacy."""
