"""Files of entries that people write: checked line by line, and published to Kafka by version."""
