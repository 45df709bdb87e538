"""The types of all records on Kafka, by what they are about."""
