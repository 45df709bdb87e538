"""Why an order was decided as it was, in words: the rules that were asked, what they read, what they said."""
