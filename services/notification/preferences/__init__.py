"""What a patient prefers: language, and the pharmacy where they usually collect."""
