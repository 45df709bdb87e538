"""The pages of pharmacies."""
