"""What ordering decides: pure, of the standard library, structs and schemas only."""
