"""Request and response bodies of the HTTP APIs, one module per service.

A record's body that an API accepts or returns unchanged is in `schemas.records`.
"""
