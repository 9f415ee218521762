"""45 CFR 164.312, technical safeguards: what this software does of them.

Source: https://www.ecfr.gov/current/title-45/section-164.312
"""

from billing.evidence.control import Answer, Control, Kind

STANDARD, REQUIRED, ADDRESSABLE = Kind
MET, IN_PART, PEOPLE, NOT_OURS = Answer

CONTROLS = (
    Control(
        *("164.312(a)(1)", "Access control", STANDARD, MET),
        "People and programs reach only what a role, a membership or a scope gives.",
        "billing/access/grants.py billing/access/roles.py billing/sign_in/gate.py",
        "tests/access/test_matrix.py::test_the_api tests/access/test_matrix.py::test_the_admin "
        "tests/api/test_services.py::test_it_sees_the_offices_that_are_named_and_no_other",
    ),
    Control(
        *("164.312(a)(2)(i)", "Unique user identification", REQUIRED, MET),
        "An address is one person, whatever its case. Each entry of the trail names who acted.",
        "billing/models/user.py::User billing/audit/actor.py::Actor",
        "tests/access/test_invitations.py::test_the_trail_says_who_made_the_account_and_who_accepted",
    ),
    Control(
        *("164.312(a)(2)(ii)", "Emergency access procedure", REQUIRED, MET),
        "An administrator gives a role for one hour. A critical finding and e-mails tell of it.",
        "billing/access/emergency.py",
        "tests/access/test_emergency.py",
    ),
    Control(
        *("164.312(a)(2)(iii)", "Automatic logoff", ADDRESSABLE, MET),
        "A session ends when it is not used, after 15 minutes for staff, and after 12 hours in any case.",
        "billing/sign_in/lasting.py::SessionLimits",
        "tests/sign_in/test_lasting.py::test_a_session_ends_when_it_is_not_used_and_at_last_in_any_case",
    ),
    Control(
        *("164.312(a)(2)(iv)", "Encryption and decryption", ADDRESSABLE, IN_PART),
        "A database file can be encrypted. The secrets of second factors always are. Other disks are the vendor's.",
        "config/databases.py billing/access/encrypted.py billing/management/commands/encrypt_database.py",
        "tests/config/test_encrypted_file.py::test_after_the_main_job_no_file_and_no_place_shows_the_data_or_the_key "
        "tests/sign_in/test_second_factor.py::test_secrets_are_encrypted_at_rest_also_while_somebody_enrols",
    ),
    Control(
        *("164.312(b)", "Audit controls", STANDARD, MET),
        "Each act, each change and each look at an Office is an entry, which the database lets nobody change.",
        "billing/audit/trail.py billing/audit/reads.py billing/audit/append_only.py",
        "tests/audit/test_walk.py::test_an_operation_over_the_api "
        "tests/audit/test_append_only.py::test_sql_cannot_change_or_delete_a_row "
        "tests/audit/test_reads.py::test_each_page_of_the_admin_that_shows_an_office "
        "tests/audit/test_past_the_trail.py::test_nothing_is_written_past_the_trail_but_in_places_with_a_reason",
    ),
    Control(
        *("164.312(c)(1)", "Integrity", STANDARD, MET),
        "What Stripe shows is compared each day. The trail is sealed each minute and verified each day.",
        "billing/reconciliation/compare.py billing/audit/seals.py::seal billing/audit/verify.py::verify",
        "tests/audit/test_seals.py::test_what_was_done_behind_the_softwares_back_is_found_and_named "
        "tests/reconciliation/test_reconcile.py::"
        "test_what_was_changed_and_never_told_is_repaired_and_told_with_both_values",
    ),
    Control(
        *("164.312(c)(2)", "Mechanism to authenticate data", ADDRESSABLE, MET),
        "An entry has a mark of our key and a place in a signed tree. Anybody can verify an export without us.",
        "billing/audit/leaves.py::has_right_mac billing/audit/verifier.py",
        "tests/audit/test_export.py::test_an_export_is_verified_outside_of_the_project_without_a_secret "
        "tests/audit/test_export.py::test_an_export_that_was_changed_is_not_verified",
    ),
    Control(
        *("164.312(d)", "Person or entity authentication", STANDARD, MET),
        "A password and a second factor for staff, a passkey or the vendor's provider. Stripe signs its events.",
        "billing/access/second_factor.py billing/sign_in/provider.py billing/stripe_api/signature.py::is_valid",
        "tests/sign_in/test_second_factor.py::test_no_page_opens_before_the_second_factor "
        "tests/sign_in/test_passkeys.py::test_a_passkey_alone_signs_in_and_counts_as_a_second_factor "
        "tests/webhooks/test_receive.py::test_a_missing_or_wrong_signature_is_refused_and_nothing_kept",
    ),
    Control(
        *("164.312(e)(1)", "Transmission security", STANDARD, MET),
        "In production, Stripe, PostgreSQL and e-mail are reached only by TLS 1.2 or newer with a right certificate.",
        "config/databases.py::check_database config/environment.py::check_mail billing/stripe_api/client.py",
        "tests/test_transmission.py::test_stripe tests/test_transmission.py::test_mail "
        "tests/test_transmission.py::test_postgresql",
    ),
    Control(
        *("164.312(e)(2)(i)", "Integrity controls", ADDRESSABLE, MET),
        "An event's signature is checked, and its payload is never data. TLS guards what is sent.",
        "billing/webhooks/receive.py::receive billing/webhooks/hints.py",
        "tests/webhooks/test_receive.py::test_a_changed_body_is_refused",
    ),
    Control(
        *("164.312(e)(2)(ii)", "Encryption", ADDRESSABLE, MET),
        "A browser comes back over TLS only. Without TLS nothing leaves this machine in production.",
        "config/headers.py config/settings.py",
        "tests/test_headers.py::test_with_debug_off_a_browser_comes_back_over_tls_only "
        "tests/test_transmission.py::test_postgresql_without_tls "
        "tests/config/test_settings.py::test_e_mails_leave_only_encrypted_and_under_an_address",
    ),
)
