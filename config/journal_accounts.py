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
"""The key is the name in ``billing.reports.journal_entries``. The last one is not an account: it is the tax rate that
the file for Xero names, and it adds no tax, because the tax is booked already."""
