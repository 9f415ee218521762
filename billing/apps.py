from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.db.models.signals import post_migrate


class BillingConfig(AppConfig):
    name = "billing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from billing.access import ending, provider_roles, roles
        from billing.audit import append_only, trail
        from billing.checks import (
            check_determination,
            check_role_defaults,
            check_static_files,
            check_suppliers,
            check_trail,
            check_trusted_proxies,
            check_where_live_data_is,
        )
        from billing.limits import lockout
        from billing.moving import mark
        from billing.sign_in import lasting, recorded
        from billing.stripe_api import mirror, sandbox_clock

        mark.watch()
        trail.register()
        lasting.watch()
        lockout.watch()
        recorded.watch()
        ending.watch()
        provider_roles.refuse_unknown()
        mirror.close_side_doors()
        checks.register(check_determination, "billing", deploy=True)
        checks.register(check_static_files, "billing", deploy=True)
        checks.register(check_where_live_data_is, "billing", deploy=True)
        checks.register(check_role_defaults, "billing", deploy=True)
        checks.register(check_trusted_proxies, "billing", deploy=True)
        checks.register(check_trail, "billing", deploy=True)
        checks.register(check_suppliers, "billing", deploy=True)
        post_migrate.connect(roles.write_groups, sender=self, dispatch_uid="staff-roles")
        post_migrate.connect(append_only.protect_after_migrate, sender=self, dispatch_uid="append-only")
        if settings.STRIPE_KIND == "sandbox":
            sandbox_clock.follow()
