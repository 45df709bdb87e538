"""Engines that do the order-validation job: ours and its peers."""
