"""What others rely on: AsyncAPI, rules of compatibility, committed snapshots."""
