"""The command ``python -m demo.smoke``. It does the main job in a temporary folder, and prints one line for each step.

It sees the product only from outside: staff work in the admin over HTTP, an Office's owner in the API, and the local
Stripe is asked what it has. It ends with 0 only if every step happened.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from demo import stack as stacks
from demo.seed_names import OFFICE, OWNER, STAFF

PATIENCE_SECONDS = 20


class Smoke:
    def __init__(self, stack: stacks.Stack) -> None:
        self.stack = stack
        self.admin = httpx.Client(base_url=stack.site, follow_redirects=True, timeout=20)
        self.api = httpx.Client(base_url=f"{stack.site}/api/v1", timeout=20)
        self.failed = False

    def step(self, what: str, look: Callable[[], Any]) -> Any:
        """Repeat the look until it returns something. After ``PATIENCE_SECONDS``, the smoke test fails and ends."""
        began, seen, last = time.monotonic(), None, ""
        while time.monotonic() - began < PATIENCE_SECONDS:
            try:
                if seen := look():
                    break
            except (AssertionError, httpx.HTTPError, KeyError) as error:
                last = f": {error!r}"
            time.sleep(0.1)
        self.failed |= not seen
        say(f"{'ok  ' if seen else 'FAIL'} {time.monotonic() - began:6.2f} s  {what}{'' if seen else last}")
        if not seen:
            raise SystemExit(1)
        return seen

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Fill in and send a form of the admin."""
        page = self.admin.get(path)
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert found, f"no form at {path}: {page.status_code}"
        answer = self.admin.post(
            path, data={"csrfmiddlewaretoken": found[1], **fields}, headers={"Referer": self.stack.site}
        )
        answer.raise_for_status()
        return answer

    def stripe_has(self, path: str) -> list[dict[str, Any]]:
        key = self.stack.environment["STRIPE_SECRET_KEY"]
        answer = httpx.get(f"{self.stack.stripe}/v1/{path}", headers={"Authorization": f"Bearer {key}"})
        return answer.raise_for_status().json()["data"]

    def rows(self, query: str) -> list[Any]:
        """Ask the database, whatever its form, in another process."""
        command = [sys.executable, "-m", "demo.smoke_rows", query]
        printed = subprocess.run(
            command, cwd=stacks.ROOT, env=self.stack.environment, capture_output=True, text=True, check=True
        ).stdout
        return [tuple(row) for row in json.loads(printed)]

    def run(self) -> None:
        password = self.stack.environment["DEMO_PASSWORD"]
        self.stack.manage("shell", "--verbosity=0", "-c", "import demo.smoke_cast")
        self.step(
            "staff signs in to the admin",
            lambda: "Offices" in self.post("/account/login/", login=STAFF, password=password, next="/admin/").text,
        )
        self.step("staff creates an Office", self._create_office)
        (office, public_id) = self.rows(f"SELECT id, public_id FROM billing_office WHERE name = '{OFFICE}'")[0]  # noqa: S608
        page = f"/admin/billing/office/{office}"
        price = self.rows("SELECT public_id FROM billing_planprice WHERE code = 'practice-monthly'")[0][0]
        self.step("staff subscribes it", lambda: self._subscribe(page, price))
        self.step("Stripe has the customer", lambda: len(self.stripe_has("customers")) == 1)
        self.step("Stripe has the paid subscription", lambda: self.stripe_has("subscriptions")[0]["status"] == "active")
        self.step(
            "webhooks were received and applied",
            lambda: (
                self.rows("SELECT 1 FROM billing_receivedevent WHERE status = 'applied'")
                and not self.rows("SELECT 1 FROM billing_receivedevent WHERE status IN ('waiting', 'parked')")
            ),
        )
        self.step("the Office is active in the admin", lambda: "active" in self.admin.get(f"{page}/change/").text)
        self.step("the owner signs in to the API", lambda: self._sign_in(password))
        where = f"/offices/{uuid.UUID(public_id)}"
        self.step(
            "the product is told: full access",
            lambda: self.api.get(f"{where}/entitlement/").json()["access"] == "full",
        )
        self.step("the owner cancels", lambda: self._cancel(where))
        self.step(
            "Stripe will not renew it", lambda: self.stripe_has("subscriptions")[0]["cancel_at_period_end"] is True
        )
        self.step("a month passes at Stripe", self._month)
        self.step(
            "the product is told: no access",
            lambda: self.api.get(f"{where}/entitlement/").json()["access"] == "none",
        )
        self.step(
            "the Office is canceled by webhook",
            lambda: self.api.get(f"{where}/subscription/").json()["status"] == "canceled",
        )
        self.step("the audit trail names both people and both reasons", self._audited)
        self.step("no secret is in the database", self._no_secrets)

    def _create_office(self) -> bool:
        self.post(
            "/admin/billing/office/add/",
            name=OFFICE,
            billing_email="billing@smoke.example",
            time_zone="America/New_York",
            locale="en",
            is_the_practices="on",
        )
        self.stack.manage("shell", "--verbosity=0", "-c", "from demo.smoke_cast import join; join()")
        return True

    def _subscribe(self, page: str, price: str) -> bool:
        answer = self.post(
            f"{page}/subscribe/",
            price=str(uuid.UUID(price)),
            quantity="1",
            trial_days="0",
            payment_method="pm_card_visa",
            why="other",
            note="signed up by phone",
            confirmed="yes",
        )
        assert "Start a subscription: done" in answer.text, re.findall(r"(?:text-red-\d+)[^>]*>([^<]+)", answer.text)
        return True

    def _sign_in(self, password: str) -> bool:
        token = self.api.post("/auth/token/", json={"email": OWNER, "password": password}).json()["token"]
        self.api.headers["Authorization"] = f"Token {token}"
        return True

    def _cancel(self, where: str) -> bool:
        answer = self.api.post(f"{where}/subscription/cancel/", json={"reason": "we close the practice"})
        assert answer.status_code == 200, answer.text
        return answer.json()["cancel_at"] is not None

    def _month(self) -> bool:
        answer = httpx.post(f"{self.stack.stripe}/_sandbox/clock", json={"advance": 32 * 86_400})
        return answer.status_code == 200

    def seeded(self) -> bool:
        said = self.stack.seed()
        assert "Sign in as" in said, said
        [[offices]] = self.rows("SELECT count(*) FROM billing_office")
        return offices == 1 + 12 and len(self.stripe_has("subscriptions?limit=100")) >= 10

    def _audited(self) -> bool:
        found = set(self.rows("SELECT actor_label, reason FROM billing_auditentry"))
        return {(STAFF, "Other: signed up by phone"), (OWNER, "we close the practice")} <= found

    def _no_secrets(self) -> bool:
        return not re.search(r"\b(sk|rk)_(test|live)_|whsec_", str(self.rows("--dump")))


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def main() -> None:
    began = time.monotonic()
    web_port, stripe_port = stacks.free_port(), stacks.free_port()
    with (
        tempfile.TemporaryDirectory(prefix="office-billing-") as folder,
        stacks.running(Path(folder), web_port=web_port, stripe_port=stripe_port) as stack,
    ):
        say(f"ok   {time.monotonic() - began:6.2f} s  everything started")
        smoke = Smoke(stack)
        smoke.run()
        smoke.step("the demo's dozen Offices are made, and it says how to sign in", smoke.seeded)
    say(f"The main job works ({time.monotonic() - began:.1f} s).")
    sys.exit(smoke.failed)


if __name__ == "__main__":
    main()
