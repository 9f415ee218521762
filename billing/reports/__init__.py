"""Reports: what is billed, paid and owed, over all Offices. They query our own columns; no two currencies are added."""
