from billing.management.refused import RefusedCommand


class Command(RefusedCommand):
    help = "Refused. Use move_database, or a backup."
    instead = (
        "It does not keep the data as it is: audit entries, their actors and times, and JSON's null would not arrive "
        "the same. To move the data, use: python manage.py move_database --to URL. To keep a copy, use your "
        "database's backup."
    )
