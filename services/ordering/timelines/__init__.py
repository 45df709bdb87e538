"""Who or which rule did what with an order, and when, in words."""
