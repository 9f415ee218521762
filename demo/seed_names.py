"""The names that the demo and the smoke test share. Importing them does not need Django."""

STAFF = "operator@vendor.example"
SECOND = "administrator@vendor.example"
FINANCE = "finance@vendor.example"
OWNER = "owner@maple.example"
VIEWER = "viewer@maple.example"
OFFICE = "Smoke Test Practice"
