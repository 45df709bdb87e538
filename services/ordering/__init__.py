"""ordering: takes orders, decides each line, sends approved prescriptions to the pharmacies."""
