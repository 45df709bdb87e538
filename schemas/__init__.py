"""Record types, topics, reason codes and roles, each defined once. Imports no other package of this project."""
