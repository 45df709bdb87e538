"""The Kafka adapter: clients, producer, topic administration, consumer groups, global tables, topic pages."""
