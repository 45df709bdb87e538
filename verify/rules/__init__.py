"""The rules of the checker, by subject. Each is a function of the evidence that yields its findings."""
