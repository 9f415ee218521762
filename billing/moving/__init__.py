"""Move all data from the present database to another one, of any form: ``manage.py move_database``."""
