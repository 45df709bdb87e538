"""The bodies of the HTTP APIs, a module for each service: what a client sends and what it is answered.

Where an API takes or shows a record's body as it is, that is in the records' own modules.
"""
