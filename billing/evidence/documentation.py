"""45 CFR 164.316, policies, procedures and documentation: what this software does of them.

Source: https://www.ecfr.gov/current/title-45/section-164.316
"""

from billing.evidence.control import Answer, Control, Kind

STANDARD, REQUIRED, ADDRESSABLE = Kind
MET, IN_PART, PEOPLE, NOT_OURS = Answer

CONTROLS = (
    Control(
        *("164.316(a)", "Policies and procedures", STANDARD, PEOPLE),
        "The vendor writes its policies. These documents are the part that is about this software.",
        "docs/hipaa.md docs/operations.md docs/trail.md",
    ),
    Control(
        *("164.316(b)(1)", "Documentation", STANDARD, IN_PART),
        "What is required to be recorded is in the trail: acts, activities and assessments, with who and why.",
        "billing/audit/trail.py docs/trail_recorded.md",
        "tests/audit/test_walk.py::test_an_operation_over_the_api tests/audit/test_walk_admin.py",
    ),
    Control(
        *("164.316(b)(2)(i)", "Time limit", REQUIRED, MET),
        "Evidence is kept for six years at least. The database refuses to delete it before.",
        "billing/audit/lives.py::LIVES billing/audit/retiring.py",
        "tests/audit/test_lives.py::test_the_database_refuses_to_delete_what_is_evidence_and_nothing_else "
        "tests/audit/test_retiring.py::test_younger_entries_are_not_due",
    ),
    Control(
        *("164.316(b)(2)(ii)", "Availability", REQUIRED, IN_PART),
        "The documents come with the software. `manage.py evidence_pack` has the state of an installation.",
        "billing/management/commands/evidence_pack.py docs/hipaa.md",
        "tests/evidence/test_pack.py::test_it_has_each_part_as_json_and_as_a_table",
    ),
    Control(
        *("164.316(b)(2)(iii)", "Updates", REQUIRED, IN_PART),
        "Tests hold documents against code: this table, roles, lives, commands and what leaves. People review them.",
        "tests/evidence/test_controls.py tests/test_documented_commands.py",
        "tests/evidence/test_controls.py::test_what_a_control_names_is_there "
        "tests/access/test_roles.py::test_the_document_has_the_same_table",
    ),
)
