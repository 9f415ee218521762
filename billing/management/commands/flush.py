from billing.management.refused import RefusedCommand


class Command(RefusedCommand):
    help = "Refused. The audit trail is never erased."
    instead = (
        "It would erase everything, the audit trail too. To begin anew, set DATABASE_URL to another, empty database, "
        "and keep this one as long as its records must be kept."
    )
