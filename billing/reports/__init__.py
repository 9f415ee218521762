"""Reports: what is billed, paid and owed, over all Offices. Queries over our own columns; never two currencies added."""
