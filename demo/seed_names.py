"""The names of the smoke test's cast."""

STAFF = "operator@vendor.example"
OWNER = "owner@maple.example"
OFFICE = "Smoke Test Practice"
