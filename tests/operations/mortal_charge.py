"""The command ``python -m tests.operations.mortal_charge OFFICE STEP FUNCTION MOMENT``.

It charges an Office in a process that dies at this step, as by kill -9. It dies when ``Step.asking`` returns (nothing
was sent yet), or when ``Step.answered`` is called (Stripe did it, and we have not stored that) or returns.
"""

import os
import signal
import sys
from typing import Any

import django


def main(office: str, step: str, function: str, moment: str) -> None:
    django.setup()
    from billing.audit import actor
    from billing.models import Office
    from billing.operations.engine.begin import perform
    from billing.operations.engine.steps import Step
    from billing.operations.money.charges import ChargeOffice

    fatal = getattr(Step, function).__code__

    def watch(frame: Any, event: str, _: Any) -> None:
        here = event == moment and frame.f_code is fatal
        if here and frame.f_locals["self"].name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
    by = actor.job("mortal")
    perform(ChargeOffice(charge="training", amount=25_000), Office.objects.get(pk=office), by=by, reason="agreed")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    main(*sys.argv[1:])
