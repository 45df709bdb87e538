"""The loop: poll, parse, decide, save, publish; its consumer, its partitions, its watchdog."""
