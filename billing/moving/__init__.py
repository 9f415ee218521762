"""Move all data from the old database to a new one, of any form: ``manage.py move_database``."""
