"""The API reference that a service shows to a browser at `/docs`: its OpenAPI document, to read and to try."""
