"""The table of variables: each one's name, what it must be, its default and what it is for. To add one, add a row.

A row makes the parsing, the errors, .env.example and docs/settings.md. ``python -m config.variables`` writes both.
config/settings.py reads a variable as ``said[site.DEBUG]``. An empty value is the default.
"""
