"""Monitoring: one list of checks, and what shows it: the overview, /healthz, doctor, and alerts."""
