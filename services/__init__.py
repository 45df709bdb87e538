"""The four services. They never import each other; Kafka is all they share."""
