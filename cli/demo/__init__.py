"""`herhaal demo`: the main job on a stack of its own, from order to answer, with proof at the end."""
