"""A person with a browser and a phone, as the sign-in pages see them. The phone's codes are worked out by RFC 6238."""

import base64
import hashlib
import hmac
import re
import struct
import time
from typing import Any

from django.test import Client

from billing.models import AuditEntry, User
from tests.conftest import PASSWORD

SECRET = re.compile(r'class="secret">([A-Z2-7]+)<')


def totp(secret: str, *, at: float | None = None) -> str:
    """Return the code of RFC 6238: HMAC-SHA-1 over the number of 30-second steps, cut to six digits."""
    step = int((time.time() if at is None else at) // 30)
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    start = digest[-1] & 0x0F
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


class Browser(Client):
    """A browser of one person. ``secret`` is in the app on their phone after ``enrol``."""

    secret = ""
    recovery_codes: tuple[str, ...] = ()
    steps_ahead = 0

    def sign_in(self, email: str, password: str = PASSWORD, *, to: str = "") -> Any:
        return self.post("/account/login/", {"login": email, "password": password, "next": to})

    def enrol(self) -> Any:
        page = self.get("/account/2fa/app/")
        assert page.status_code == 200, page.headers.get("Location", page.content)
        self.secret = SECRET.search(page.content.decode())[1]
        done = self.post("/account/2fa/app/", {"code": totp(self.secret)})
        shown = self.get("/account/2fa/recovery-codes/").content.decode()
        self.recovery_codes = tuple(re.findall(r"\b\d{8}\b", shown))
        return done

    def code(self) -> str:
        """Return a code that was not used yet. A code counts once, so the next one is that of the next step."""
        self.steps_ahead += 1
        return totp(self.secret, at=time.time() + 30 * (self.steps_ahead % 2))

    def give_code(self, code: str) -> Any:
        return self.post("/account/2fa/authenticate/", {"code": code})


def entries(user: User | None = None) -> list[tuple[str, str, str]]:
    """Return kind, actor and words of what the trail has about this person, in order."""
    found = AuditEntry.objects.exclude(what="").exclude(kind="read").order_by("pk")
    if user:
        found = found.filter(object_id=user.pk, content_type__model="user")
    return list(found.values_list("kind", "actor_label", "what"))
