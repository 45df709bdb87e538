"""`herhaal verify`: client histories, dumps of everything, and the checker that judges them."""
