"""Trouble on demand, and what only a test or a person at the controls may do."""
