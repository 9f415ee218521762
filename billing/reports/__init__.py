"""Figures over all Offices, and files of them: what is asked of many rows at once."""
