"""The REST API: translates between HTTP and operations, and decides nothing."""
