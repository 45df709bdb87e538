"""Whether a service's database and a Kafka cluster belong together: cluster id and offsets."""
