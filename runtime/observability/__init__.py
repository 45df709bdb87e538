"""What operators see: logs and metrics, without patient data."""
