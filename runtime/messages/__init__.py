"""Records and messages: parsing, CloudEvents envelopes, the partitioner, dead letters, positions."""
