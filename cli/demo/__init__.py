"""`herhaal demo`: run the main job on a temporary stack, from order to answer, and prove the result."""
