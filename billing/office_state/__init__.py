"""How an Office stands: what state it is in and what is next, in sentences, and the rows that this rests on.

The admin's page of an Office and the pages for the Office itself say it with the same words. ``rows`` reads all of it
in a fixed number of statements, and ``sentences`` queries nothing.
"""
