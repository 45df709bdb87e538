"""The pages of assistants, GPs and practice managers."""
