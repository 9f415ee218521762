"""Bulk acts: one thing that a person does to many Offices, one after another, by a job."""
