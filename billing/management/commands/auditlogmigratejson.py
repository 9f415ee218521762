from billing.management.refused import RefusedCommand


class Command(RefusedCommand):
    help = "Refused. An audit entry is never changed."
    instead = "Audit entries are only added. Nothing here changes them. They have no text in the old format."
