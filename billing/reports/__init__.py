"""Reports over all Offices, and files of them. They query our own columns, and no two currencies are added."""
