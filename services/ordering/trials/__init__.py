"""Another policy, tried on a practice's past orders."""
