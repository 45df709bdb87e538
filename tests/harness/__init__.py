"""What tests of the running system share: making records, sending them, reading everything back."""
