from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing import accounts, errors
from billing.audit import actor
from billing.models.observation import Level
from billing.monitoring import asking
from billing.monitoring.at_stripe import webhook_endpoint
from billing.monitoring.outcome import Seen
from billing.operations.catalogue import publish_plans
from billing.stripe_api.gateway.account import EndpointState

REASON = "setup_stripe"


class Command(BaseCommand):
    help = (
        "Record the Stripe account of this database, publish the plans, and set up the webhook address. You can run it "
        "whenever you like, also after somebody changed something at Stripe."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--register-endpoint",
            action="store_true",
            help="Also make the webhook endpoint at Stripe, or enable it again. Stripe must be able to reach SITE_URL. "
            "The signing secret is printed once. You do not need this with `stripe listen`.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        by = actor.job("setup_stripe")
        at_stripe = options["register_endpoint"] or settings.STRIPE_KIND == "sandbox"
        try:
            account = accounts.record_account(by=by, reason=REASON)
            self.stdout.write(f"Stripe account: {account}")
            published = publish_plans(by=by, reason=REASON)
            self.stdout.write(f"Plan prices published: {published} new")
            endpoint = accounts.register_endpoint(at_stripe=at_stripe, by=by, reason=REASON)
        except errors.BillingError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Webhook address: {endpoint.url}")
        self._tell_secret(endpoint, at_stripe=at_stripe)
        found = webhook_endpoint(Seen(asked=asking.ask()))
        self.stdout.write(f"{found.seen} {'' if found.level == Level.GREEN else found.todo}".strip())

    def _tell_secret(self, endpoint: EndpointState, *, at_stripe: bool) -> None:
        if endpoint.secret and endpoint.secret not in settings.STRIPE_WEBHOOK_SECRETS:
            self.stdout.write(
                f"Put this signing secret into STRIPE_WEBHOOK_SECRETS now. It is not shown again: {endpoint.secret}"
            )
        elif at_stripe and not settings.STRIPE_WEBHOOK_SECRETS:
            self.stdout.write("Put the signing secret that Stripe's dashboard shows into STRIPE_WEBHOOK_SECRETS.")
