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
        "Compares everything that Stripe lists with the rows here, takes in events that never arrived, and repairs "
        "what had drifted. Ended in the midst of it, it goes on from there."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--full", action="store_true", help="All of the past, and all events of the last 30 days; else the recent."
        )
        parser.add_argument(
            "--adopt",
            action="store_true",
            help="Make an Office of each customer that subscribes to a plan and has none. Prices at Stripe that can be "
            "plans become plans first.",
        )
        parser.add_argument(
            "--product",
            action="append",
            default=[],
            metavar="prod_…",
            help="What --adopt is for: the customers of this product. Give it again for another.",
        )
        parser.add_argument(
            "--all-products",
            action="store_true",
            help="With --adopt: whoever subscribes to anything at this account is a practice.",
        )
        parser.add_argument(
            "--abandon",
            action="store_true",
            help="End the one that is unfinished. What it did stays; then nothing more.",
        )
        parser.add_argument("--reason", default="asked for at the command line")

    def handle(self, *args: Any, **options: Any) -> None:
        named = bool(options["product"]) + options["all_products"]
        if named and not options["adopt"]:
            raise CommandError("--product says what to adopt: give --adopt too.")
        if options["adopt"] and named != 1:
            raise CommandError("Whom is --adopt for? Give --product prod_…, or --all-products if all are practices.")
        try:
            if options["abandon"]:
                self._abandon(options["reason"])
                return
            accounts.refuse_other_account()
            with pace.kept():
                run = reconcile(
                    by=actor.job("reconcile"),
                    reason=options["reason"],
                    everything=options["full"],
                    adopts=options["adopt"],
                    products=tuple(options["product"]),
                    told=self._tell,
                )
        except KeyboardInterrupt:
            raise CommandError(
                "Stopped. The same command goes on from there; with --abandon it is ended instead."
            ) from None
        except errors.StripeUnavailable as error:
            raise CommandError(f"{error} Run the command again: it goes on from where it is.") from None
        except errors.BillingError as error:
            raise CommandError(str(error)) from None
        self._sum_up(run)

    def _tell(self, run: Reconciliation) -> None:
        """The stage that is under way, once."""
        if run.ended_at is None and run.stage != getattr(self, "_stage", ""):
            self._stage = run.stage
            self.stdout.write(f"{run.stage} …")
            self.stdout.flush()

    def _abandon(self, reason: str) -> None:
        by, unfinished = actor.job("reconcile"), Reconciliation.objects.filter(ended_at=None).first()
        if unfinished is None:
            raise CommandError("None is unfinished.")
        end(unfinished, by=by, reason=reason)
        self.stdout.write(f"Ended: the {unfinished}. It was at: {unfinished.stage}.")

    def _sum_up(self, run: Reconciliation) -> None:
        if run.stage != names(run)[-1]:
            raise CommandError(f"Somebody ended it before its end, at: {run.stage}. What it did stays.")
        seconds = (run.ended_at - run.began_at).total_seconds() if run.ended_at else 0
        self.stdout.write(f"Compared in {seconds:.0f} s:")
        for what, how_many in run.counts.items():
            if not how_many:
                continue
            self.stdout.write(f"  {how_many:>8,} {what}")
        if run.counts.get("events that had not arrived"):
            self.stdout.write("What those events tell of is looked at by the worker: python manage.py worker")
        if run.counts.get("drifted"):
            self.stdout.write("What had drifted is repaired, and told under Findings.")
        if run.counts.get("left"):
            self.stdout.write("Some of it is left for you under Findings.")
