"""A real Keycloak as issuer, for `herhaal test keycloak` only: 180 MB to download, and a minute to build."""
