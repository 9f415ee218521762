"""The command ``python -m demo``. It starts everything, makes a dozen Offices by real operations, and keeps running."""

import argparse
import sys
import time

from demo import stack as stacks

BOLD, PLAIN = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")


def main() -> None:
    parser = argparse.ArgumentParser("demo")
    parser.add_argument("--web-port", type=int, default=8000)
    parser.add_argument("--stripe-port", type=int, default=12111)
    options = parser.parse_args()
    began = time.monotonic()
    say("Starting the database, the local Stripe, the web server and the worker …")
    with stacks.running(
        stacks.ROOT / "var" / "demo", web_port=options.web_port, stripe_port=options.stripe_port, may_use_own_key=True
    ) as stack:
        say("Creating Offices and subscribing them at Stripe …")
        sign_in = stack.seed()
        say(f"Ready after {time.monotonic() - began:.1f} s.\n")
        say(f"  {BOLD}Office Billing{PLAIN}   {stack.site}/admin/")
        say(f"  API             {stack.site}/api/v1/docs/")
        if stack.stripe:
            say(f"  Local Stripe    {stack.stripe}/")
            say(f"  E-mails         {stack.site}/demo/mail/")
        else:
            say("  Stripe          test mode, with the key in .env")
            say("  Webhooks        stripe listen --forward-to the webhook address above")
        say(
            f"\n{sign_in}\n\nNext: open an Office and cancel its subscription, or let a month pass at the local Stripe."
        )
        say("Press Ctrl-C to stop everything.")
        stay(stack)


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
