"""The rules of the checker, by what they are about: each a function of the facts that yields what breaks it."""
