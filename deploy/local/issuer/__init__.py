"""The development issuer: an OpenID provider with made-up people, for local stacks only."""
