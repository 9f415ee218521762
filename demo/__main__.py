"""The command ``python -m demo``. It starts everything, makes Offices with a past, and keeps running.

With a key of Stripe in .env it makes a dozen Offices there instead, which have no past: time passes by itself there.
"""

import argparse
import sys
import time
from datetime import timedelta
from pathlib import Path

from demo import folder as folders
from demo import stack as stacks
from demo.seed_names import AUDITOR, FINANCE, OWNER, PAST_DAYS, SECOND, STAFF, VIEWER

BOLD, PLAIN = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")
PEOPLE = (
    (STAFF, "operator, who may also give money back and read the audit trail"),
    (FINANCE, "finance: approves what is given back above the limit"),
    (AUDITOR, "auditor: reads everything and changes nothing"),
    (SECOND, "administrator: people, roles and plans"),
    (OWNER, "owner of Maple Street Family Practice, at /billing/ and in the API"),
    (VIEWER, "viewer of Maple Street Family Practice, at /billing/ and in the API"),
)


def main() -> None:
    parser = argparse.ArgumentParser("demo")
    parser.add_argument("--web-port", type=int, default=8000)
    parser.add_argument("--stripe-port", type=int, default=12111)
    parser.add_argument("--folder", type=Path, default=stacks.ROOT / "var" / "demo")
    options = parser.parse_args()
    began, folder = time.monotonic(), options.folder.resolve()
    with folders.alone_in(folder):
        needs_past = not stacks.has_own_key() and not folders.has_data(folder)
        if needs_past and folders.put_aside(folder):
            say(f"The data of an older or unfinished demo is in {folder / 'old'} now. A new one begins.")
        say("Starting the database, the local Stripe, the web server and the worker …")
        with stacks.running(
            folder,
            web_port=options.web_port,
            stripe_port=options.stripe_port,
            may_use_own_key=True,
            past=timedelta(days=PAST_DAYS),
        ) as stack:
            if needs_past:
                say("Letting fourteen months pass at the local Stripe, with all that happens in them …")
                stack.make_past(say)
            say("Adding the Offices that begin today …")
            sign_in = stack.seed()
            if needs_past:
                folders.keep(folder)
            say(f"Ready after {time.monotonic() - began:.1f} s.\n")
            tell(stack, password=sign_in.rpartition("password: ")[2])
            stay(stack)


def tell(stack: stacks.Stack, *, password: str) -> None:
    """Say where everything is, who can sign in, and what to do first."""
    say(f"  {BOLD}Office Billing{PLAIN}   {stack.site}/admin/")
    say(f"  API             {stack.site}/api/v1/docs/")
    if stack.stripe:
        say(f"  Local Stripe    {stack.stripe}/")
        say(f"  E-mails         {stack.site}/demo/mail/")
    else:
        say("  Stripe          test mode, with the key in .env")
        say("  Webhooks        stripe listen --forward-to the webhook address above")
    say(f"\nSign in with the password {BOLD}{password}{PLAIN} as\n")
    for email, who in PEOPLE:
        say(f"  {email:<28} {who}")
    say("\nNext: sign in as the operator. The overview says what waits, and README.md what to click first.")
    say("Press Ctrl-C to stop everything.")


def stay(stack: stacks.Stack) -> None:
    try:
        while not (name := stack.ended()):
            time.sleep(0.5)
        sys.exit(f"{name} ended by itself; its log is {stack.folder / f'{name}.log'}")
    except KeyboardInterrupt:
        say("\nEnding …")


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
