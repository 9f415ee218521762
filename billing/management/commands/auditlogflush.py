from billing.management.refused import RefusedCommand


class Command(RefusedCommand):
    help = "Refused. The audit trail is never erased."
    instead = "Audit entries are only added. Nothing here deletes them."
