"""The types of all records on Kafka, one module per subject."""
