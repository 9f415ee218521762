"""What the accounts of the monthly journal are called, where JOURNAL_ACCOUNTS says nothing else."""

ACCOUNTS = {
    "receivables": "Receivables",
    "clearing": "Stripe clearing",
    "outside": "Paid outside Stripe",
    "revenue": "Revenue",
    "tax": "Tax payable",
    "balances": "Customer balances",
    "credits": "Credits",
    "refunds": "Refunds",
    "disputes": "Disputes",
    "write_offs": "Write-offs",
    "unassigned": "Payments without an invoice",
    "xero_tax_rate": "Tax Exempt",
}
"""By the name that ``billing.reports.journal`` has for it. The last one is no account, but the rate of tax that the
file for Xero names: the tax is booked already."""
