from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing import accounts, errors
from billing.audit import actor
from billing.models import Reconciliation
from billing.reconciliation import end, reconcile
from billing.reconciliation.stages import names
from billing.stripe_api import pace


class Command(BaseCommand):
    help = (
        "Compare everything that Stripe lists with the rows here. Fetch events that never arrived, and repair what "
        "has drifted. If the command is stopped, the same command continues where it was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--full", action="store_true", help="Compare all of the past, and all events of the last 30 days."
        )
        parser.add_argument(
            "--adopt",
            action="store_true",
            help="Make an Office for each customer that subscribes to a plan and has no Office. First, the prices at "
            "Stripe that can be plans become plans.",
        )
        parser.add_argument(
            "--product",
            action="append",
            default=[],
            metavar="prod_…",
            help="With --adopt: take the customers of this product. Repeat the option for another product.",
        )
        parser.add_argument(
            "--all-products",
            action="store_true",
            help="With --adopt: every customer of this account that subscribes to anything is a practice.",
        )
        parser.add_argument(
            "--abandon",
            action="store_true",
            help="End the unfinished comparison, and do nothing more. What it has done stays.",
        )
        parser.add_argument("--reason", default="asked for at the command line")

    def handle(self, *args: Any, **options: Any) -> None:
        named = bool(options["product"]) + options["all_products"]
        if named and not options["adopt"]:
            raise CommandError("--product says what to adopt. Give --adopt too.")
        if options["adopt"] and named != 1:
            raise CommandError("Which customers? Give --product prod_…, or --all-products if all are practices.")
        try:
            if options["abandon"]:
                self._abandon(options["reason"])
                return
            accounts.require_own_account()
            with pace.kept():
                run = reconcile(
                    by=actor.job("reconcile"),
                    reason=options["reason"],
                    everything=options["full"],
                    adopts=options["adopt"],
                    products=tuple(options["product"]),
                    after_each_page=self._tell,
                )
        except KeyboardInterrupt:
            raise CommandError(
                "Stopped. The same command continues from there. To end it instead, use --abandon."
            ) from None
        except errors.StripeUnavailable as error:
            raise CommandError(f"{error} Run the command again. It continues from where it stopped.") from None
        except errors.BillingError as error:
            raise CommandError(str(error)) from None
        self._sum_up(run)

    def _tell(self, run: Reconciliation) -> None:
        """Print the present stage, once."""
        if run.ended_at is None and run.stage != getattr(self, "_stage", ""):
            self._stage = run.stage
            self.stdout.write(f"{run.stage} …")
            self.stdout.flush()

    def _abandon(self, reason: str) -> None:
        by, unfinished = actor.job("reconcile"), Reconciliation.objects.filter(ended_at=None).first()
        if unfinished is None:
            raise CommandError("There is no unfinished comparison.")
        end(unfinished, by=by, reason=reason)
        self.stdout.write(f"Ended: the {unfinished}. Its last stage was: {unfinished.stage}.")

    def _sum_up(self, run: Reconciliation) -> None:
        if run.stage != names(run)[-1]:
            raise CommandError(f"Somebody ended the comparison early, at: {run.stage}. What it has done stays.")
        seconds = (run.ended_at - run.began_at).total_seconds() if run.ended_at else 0
        self.stdout.write(f"Compared in {seconds:.0f} s:")
        for what, how_many in run.counts.items():
            if not how_many:
                continue
            self.stdout.write(f"  {how_many:>8,} {what}")
        if run.counts.get("events that had not arrived"):
            self.stdout.write("The worker handles those events: python manage.py worker")
        if drifted := run.counts.get("drifted"):
            self.stdout.write(f"What had drifted is repaired. Findings tell of each object: {drifted:,}")
        if left := run.counts.get("left"):
            self.stdout.write(f"Findings that need a person: {left:,}")
