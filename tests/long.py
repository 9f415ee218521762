"""What ``make test`` leaves out and ``make test-long`` runs, so that ``make test`` takes a few minutes.

These tests start processes, walk over each moment, address or situation, search, or are many and slow. Those of the
local Stripe ask nothing of the product. CI runs both commands on each change.
"""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent
PLACES = [
    ROOT / name
    for name in """
    access/test_audit_trail_api.py access/test_masking.py access/test_permission_first.py access/test_while_locked.py
    admin/test_list_statements.py admin/test_offered_acts.py admin/test_overview.py admin/test_paging.py
    admin/test_second_step.py
    api/test_invoices.py api/test_limits.py api/test_odd_input.py api/test_services.py
    audit/test_reads.py audit/test_walk.py audit/test_walk_admin.py
    backups
    config/test_asgi.py config/test_encrypted_file.py config/test_settings.py
    monitoring/test_set_up.py
    office_pages/test_who_may.py
    operations/test_charge_killed.py operations/test_charges.py operations/test_codes_with_conditions.py
    operations/test_discounts.py operations/test_drafts_that_wait.py operations/test_given_back_twice.py
    operations/test_invoices.py operations/test_lost_answers.py operations/test_previews.py
    operations/test_schedules_of_others.py operations/test_under_way.py
    outbox/test_killed.py outbox/test_notices_killed.py
    pages/test_kept_mail.py
    proxies
    reconciliation
    sign_in/test_provider.py sign_in/test_two_processes.py
    stripe_sandbox
    test_beside.py test_checks.py test_headers.py test_histories.py test_pace.py test_several.py test_situations.py
    test_state_machine.py test_static_files.py
    webhooks/test_poison.py webhooks/test_worker.py
    """.split()
]
"""Files and folders."""


def mark(items: list[pytest.Item]) -> None:
    """Mark the tests in these places as long. Raises: UsageError, if one of the places is not there."""
    if gone := [place for place in PLACES if not place.exists()]:
        raise pytest.UsageError(f"tests/long.py names what is not there: {', '.join(map(str, gone))}")
    for item in items:
        if any(item.path.is_relative_to(place) for place in PLACES):
            item.add_marker("long")
