"""By what the lists of the admin are filtered. Each filter is in the module of its list."""
