"""Login and logout with an OpenID provider."""
