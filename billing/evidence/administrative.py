"""45 CFR 164.308, administrative safeguards: what this software does of them, and what people do.

Source: https://www.ecfr.gov/current/title-45/section-164.308
"""

from billing.evidence.control import Answer, Control, Kind

STANDARD, REQUIRED, ADDRESSABLE = Kind
MET, IN_PART, PEOPLE, NOT_OURS = Answer

CONTROLS = (
    Control(
        *("164.308(a)(1)(i)", "Security management process", STANDARD, IN_PART),
        "It refuses, records and tells. The vendor decides on risks and sanctions.",
        "billing/checks.py billing/findings.py",
        "tests/test_checks.py",
    ),
    Control(
        *("164.308(a)(1)(ii)(A)", "Risk analysis", REQUIRED, PEOPLE),
        "The vendor analyses its risks. What the software holds, sends and refuses is written down for that.",
        "docs/hipaa.md docs/asvs.md billing/stripe_api/outbound.py",
    ),
    Control(
        *("164.308(a)(1)(ii)(B)", "Risk management", REQUIRED, IN_PART),
        "It does not start in production with weak settings, and it sends only what is on a closed list.",
        "config/environment.py::check_production billing/stripe_api/outbound.py",
        "tests/config/test_settings.py::test_a_missing_or_wrong_variable_stops_the_start_and_says_what_to_put "
        "tests/test_outbound.py::test_whatever_the_client_is_given_only_the_list_reaches_stripe",
    ),
    Control(
        *("164.308(a)(1)(ii)(C)", "Sanction policy", REQUIRED, PEOPLE),
        "The trail shows who did what. What follows from it is the vendor's policy.",
        "billing/audit/search.py",
    ),
    Control(
        *("164.308(a)(1)(ii)(D)", "Information system activity review", REQUIRED, IN_PART),
        "Auditors review a period of the trail and sign it off. The page counts what is unusual.",
        "billing/operations/trail_reviews.py billing/audit/search.py::unusual",
        "tests/audit/test_reviews.py::test_a_review_names_the_seal_and_is_in_the_trail "
        "tests/audit/test_reviews.py::test_the_page_counts_what_is_unusual_and_links_to_it "
        "tests/audit/test_reviews.py::test_nobody_signs_off_their_own_acts_alone",
    ),
    Control(
        *("164.308(a)(2)", "Assigned security responsibility", STANDARD, PEOPLE),
        "The vendor names its security official. Here they are an administrator or an auditor.",
        "billing/access/roles.py::VENDOR",
    ),
    Control(
        *("164.308(a)(3)(i)", "Workforce security", STANDARD, IN_PART),
        "Nobody signs up. A person has only what a role gives, and each role is given on record.",
        "billing/access/invitations.py billing/access/roles.py",
        "tests/sign_in/test_pages.py::test_nobody_signs_up "
        "tests/access/test_invitations.py::test_who_accepts_an_invitation_to_staff_has_that_role_and_no_other",
    ),
    Control(
        *("164.308(a)(3)(ii)(A)", "Authorization and supervision", ADDRESSABLE, IN_PART),
        "One table says what each role allows. Money back above a limit, and determinations, need a second person.",
        "billing/access/roles.py::PERMISSIONS billing/operations/engine/second_person.py billing/access/two_people.py",
        "tests/access/test_matrix.py::test_the_api tests/access/test_matrix.py::test_the_admin "
        "tests/operations/test_approvals.py::test_above_it_nothing_goes_back_until_a_second_person_confirms "
        "tests/test_two_people.py::test_one_account_is_never_two_people",
    ),
    Control(
        *("164.308(a)(3)(ii)(B)", "Workforce clearance procedure", ADDRESSABLE, PEOPLE),
        "The vendor decides whom it trusts, before an administrator invites them.",
        "billing/access/invitations.py",
    ),
    Control(
        *("164.308(a)(3)(ii)(C)", "Termination procedures", ADDRESSABLE, IN_PART),
        "Making an account inactive ends its sessions and API tokens at once. docs/operations.md has the steps.",
        "billing/access/ending.py::end_access docs/operations.md",
        "tests/sign_in/test_ending.py::test_what_ends_all_access_of_staff "
        "tests/sign_in/test_ending.py::test_what_ends_all_access_of_an_offices_person",
    ),
    Control(
        *("164.308(a)(4)(i)", "Information access management", STANDARD, IN_PART),
        "Each page and each address asks one table whether the person may, before it reads what they wrote.",
        "billing/access/grants.py::require billing/access/roles.py",
        "tests/access/test_permission_first.py::test_an_operation "
        "tests/access/test_permission_first.py::test_an_address_of_the_api "
        "tests/access/test_permission_first.py::test_an_act_of_the_admin",
    ),
    Control(
        *("164.308(a)(4)(ii)(A)", "Isolating clearinghouse functions", REQUIRED, NOT_OURS),
        "This software is no health care clearinghouse, and has no part of one.",
    ),
    Control(
        *("164.308(a)(4)(ii)(B)", "Access authorization", ADDRESSABLE, IN_PART),
        "Administrators give the vendor's roles, owners those at their own Office. Programs get scopes and an end.",
        "billing/access/members.py billing/access/services.py billing/access/scopes.py",
        "tests/access/test_members.py::test_an_owner_of_one_office_is_nobody_at_another "
        "tests/api/test_services.py::test_only_what_a_scope_names_is_open_to_a_service_that_has_them_all",
    ),
    Control(
        *("164.308(a)(4)(ii)(C)", "Access establishment and modification", ADDRESSABLE, IN_PART),
        "Each change of who may do what is in the trail. This pack has the present access, for a review.",
        "billing/evidence/access_review.py billing/access/effective.py billing/audit/trail.py::REGISTERED",
        "tests/access/test_roles.py::test_effective_access_leaves_out_nobody_who_may "
        "tests/evidence/test_access_review.py::test_it_has_each_person_with_what_they_may_do_and_why "
        "tests/evidence/test_access_review.py::test_changes_of_roles_in_the_period_are_there_with_who_and_why",
    ),
    Control(
        *("164.308(a)(5)(i)", "Security awareness and training", STANDARD, PEOPLE),
        "The vendor trains its people. The pages say what must not be typed.",
        "billing/text/gate.py",
    ),
    Control(
        *("164.308(a)(5)(ii)(A)", "Security reminders", ADDRESSABLE, PEOPLE),
        "The vendor reminds its people.",
    ),
    Control(
        *("164.308(a)(5)(ii)(B)", "Protection from malicious software", ADDRESSABLE, IN_PART),
        "A page runs only this site's own scripts. Requirements are installed by their hashes. Machines are the "
        "vendor's.",
        "config/headers.py requirements.txt",
        "tests/test_headers.py::test_every_answer_limits_what_its_page_may_load_and_none_has_a_script_inside",
    ),
    Control(
        *("164.308(a)(5)(ii)(C)", "Log-in monitoring", ADDRESSABLE, IN_PART),
        "The trail has each sign-in and each failed try. After five wrong passwords none is looked at for a while.",
        "billing/sign_in/recorded.py billing/limits/lockout.py::Lockout",
        "tests/sign_in/test_lockout.py::test_attempts_answers_and_entries "
        "tests/sign_in/test_second_factor.py::test_each_act_is_in_the_trail_and_no_secret",
    ),
    Control(
        *("164.308(a)(5)(ii)(D)", "Password management", ADDRESSABLE, MET),
        "Weak and stolen passwords are refused. Nobody types another person's password. Staff need a second factor.",
        "billing/access/password_rules.py billing/access/passwords.py billing/access/second_factor.py",
        "tests/sign_in/test_passwords.py::test_each_rule_refuses_for_itself "
        "tests/admin/test_people.py::test_no_form_of_the_admin_takes_a_password "
        "tests/sign_in/test_second_factor.py::test_no_page_opens_before_the_second_factor",
    ),
    Control(
        *("164.308(a)(6)(i)", "Security incident procedures", STANDARD, IN_PART),
        "docs/operations.md has the first hour of each incident, with the commands.",
        "docs/operations.md",
        "tests/test_documented_commands.py::test_each_command_of_a_document_exists_with_its_flags",
    ),
    Control(
        *("164.308(a)(6)(ii)", "Response and reporting", REQUIRED, IN_PART),
        "A changed trail, a forged entry and an emergency role are critical findings. People respond, and report.",
        "billing/findings.py billing/sealing.py",
        "tests/audit/test_seals.py::test_a_forged_entry_is_told_when_it_is_sealed "
        "tests/audit/test_seals.py::test_what_was_done_behind_the_softwares_back_is_found_and_named",
    ),
    Control(
        *("164.308(a)(7)(i)", "Contingency plan", STANDARD, IN_PART),
        "docs/backup.md and docs/operations.md say how to back up, to go back to a backup and to move.",
        "docs/backup.md docs/operations.md",
        "tests/test_documented_commands.py::test_each_command_of_a_document_exists_with_its_flags",
    ),
    Control(
        *("164.308(a)(7)(ii)(A)", "Data backup plan", REQUIRED, IN_PART),
        "`manage.py backup` makes an encrypted backup of any form of database and reads it again. People decide when, "
        "and where it is kept.",
        "billing/backups/making.py docs/backup.md",
        "tests/backups/test_backup.py::test_the_manifest_says_what_it_holds "
        "tests/backups/test_backup.py::test_a_file_that_was_changed_is_refused",
    ),
    Control(
        *("164.308(a)(7)(ii)(B)", "Disaster recovery plan", REQUIRED, IN_PART),
        "A restored database is held until it was compared with Stripe and a person released it. What is lost for good "
        "is listed.",
        "billing/backups/after.py billing/held.py docs/backup.md",
        "tests/backups/test_drill.py::test_after_25_hours_nothing_is_done_twice_and_each_loss_is_listed "
        "tests/backups/test_held.py::test_a_worker_does_nothing_until_it_is_released",
    ),
    Control(
        *("164.308(a)(7)(ii)(C)", "Emergency mode operation plan", REQUIRED, IN_PART),
        "If Stripe or the worker is away, Offices keep their access for some time, and webhooks are sent again.",
        "billing/entitlement.py billing/webhooks/receive.py",
        "tests/webhooks/test_receive_locked.py::test_with_the_database_away_stripe_is_told_to_come_again "
        "tests/api/test_entitlement_locked.py",
    ),
    Control(
        *("164.308(a)(7)(ii)(D)", "Testing and revision procedures", ADDRESSABLE, IN_PART),
        "A restore is drilled, and databases of earlier versions are upgraded, in tests. The vendor drills its own "
        "restore, and keeps the date.",
        "tests/backups/test_drill.py tests/schema/upgrading.py",
        "tests/backups/test_drill.py::test_after_25_hours_nothing_is_done_twice_and_each_loss_is_listed "
        "tests/schema/test_upgrade.py::test_a_database_of_an_earlier_version_is_upgraded_with_its_data",
    ),
    Control(
        *("164.308(a)(7)(ii)(E)", "Applications and data criticality analysis", ADDRESSABLE, PEOPLE),
        "The vendor says how long it can be without which part. `/healthz` and the entitlement endpoint are apart.",
        "billing/monitoring/probes.py billing/entitlement.py",
    ),
    Control(
        *("164.308(a)(8)", "Evaluation", STANDARD, PEOPLE),
        "Somebody evaluates this regularly, and after changes. This pack is made for that.",
        "billing/evidence/pack.py",
        "tests/evidence/test_pack.py::test_it_has_each_part_as_json_and_as_a_table",
    ),
    Control(
        *("164.308(b)(1)", "Business associate contracts: of a covered entity", STANDARD, PEOPLE),
        "Whether the vendor is an Office's business associate is between them.",
    ),
    Control(
        *("164.308(b)(2)", "Business associate contracts: of a business associate", STANDARD, IN_PART),
        "In live mode nothing is charged while no determination about the payment processor is in force.",
        "billing/stripe_api/charging.py billing/models/agreement.py",
        "tests/test_reviewed.py::test_a_supplier_has_its_own_determination_and_only_stripes_has_the_list "
        "tests/test_checks.py::test_live_mode_without_a_determination_warns_and_says_what_to_do",
    ),
    Control(
        *("164.308(b)(3)", "Written contract or other arrangement", REQUIRED, PEOPLE),
        "Counsel keeps the documents. A determination has their SHA-256, their place, signers and dates.",
        "billing/operations/compliance.py",
        "tests/operations/test_agreement.py::test_what_one_prepares_holds_once_another_has_approved_it",
    ),
)
