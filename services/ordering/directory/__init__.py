"""The directory for people: which pharmacies there are, and how to reach a practice."""
