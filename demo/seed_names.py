"""The names that the demo and the smoke test share. Importing them does not need Django."""

STAFF = "operator@vendor.example"
SECOND = "administrator@vendor.example"
FINANCE = "finance@vendor.example"
AUDITOR = "auditor@vendor.example"
OWNER = "owner@maple.example"
VIEWER = "viewer@maple.example"
PAST_DAYS = 426
"""How long before the present moment the first Office of a demo with a past is added: fourteen months."""
OFFICE = "Smoke Test Practice"
