"""`herhaal verify`: dump a live system and run the checker on it."""
