"""Posting an alert to ALERT_WEBHOOK: JSON with code, level, says and since."""

from typing import Any

import requests
from django.conf import settings

from billing import errors

SECONDS = 8
REDIRECTED = 300


def post(alert: dict[str, Any]) -> None:
    """Post it, if there is an address. Redirects are not followed. Raises: AlertNotTaken."""
    if not settings.ALERT_WEBHOOK:
        return
    with requests.Session() as session:
        session.trust_env = False
        try:
            answer = session.post(settings.ALERT_WEBHOOK, json=alert, timeout=SECONDS, allow_redirects=False)
        except requests.RequestException as error:
            raise errors.AlertNotTaken(f"ALERT_WEBHOOK does not answer ({type(error).__name__}).") from None
    if answer.status_code >= REDIRECTED:
        raise errors.AlertNotTaken(f"ALERT_WEBHOOK answered {answer.status_code}.")
