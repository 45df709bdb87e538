"""The Kafka adapter: clients, producer, topics, compacted topics in memory, topics page by page."""
