"""The REST API. It translates between HTTP and operations, and makes no decisions of its own."""
