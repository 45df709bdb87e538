"""The pages of patients, and of those who stand in for them."""
