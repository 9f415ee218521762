"""What is wrong with the journals of all months in which something happened: nothing, whatever happened."""

from collections import Counter

from billing.models import Office
from billing.reports.journal import Journal, Month
from billing.reports.journal_entries import Account


def months_of(office: Office) -> list[Month]:
    """Return each month from the first row of the Office to the month after its last one."""
    at = [time for row in office.invoices.all() for time in (row.created_at, row.paid_at, row.voided_at) if time]
    at += [row.created_at for row in office.payments.all()]
    at += [row.created_at for row in office.adjustments.all()]
    at += [row.returned_at for row in office.adjustments.all() if row.returned_at]
    if not at:
        return []
    months, last = [Month.of(min(at))], Month.of(max(at)).next
    while months[-1] != last:
        months.append(months[-1].next)
    return months


def wrong_journals(office: Office) -> list[str]:
    """Return what does not balance, tie or chain. The Office must be the only one with rows."""
    wrong: list[str] = []
    before: Journal | None = None
    for month in months_of(office):
        journal = Journal(month)
        for entry in journal.entries():
            if sum(entry.lines.values()):
                wrong.append(f"{month}: {entry} does not balance")
        wrong += [f"{month}: {tie}" for tie in journal.ties() if tie.difference]
        for currency in journal.currencies:
            if sum(journal.closing(currency, account) for account in Account):
                wrong.append(f"{month}: the accounts of {currency} do not sum up to nothing")
            for account in Account:
                closing = before.closing(currency, account) if before else None
                if closing is not None and journal.opening.get((currency, account), 0) != closing:
                    wrong.append(f"{month}: {account} in {currency} opens otherwise than the month before closed")
        before = journal
    if before:
        wrong += _of_now(office, before)
    return wrong


def _of_now(office: Office, journal: Journal) -> list[str]:
    """At the end the receivables are what the Office owes, as the projection counted it from its open invoices."""
    office = Office.objects.get(pk=office.pk)
    owed = Counter({one.currency: one.amount for one in office.debts if one.amount})
    booked = {one: journal.closing(one, Account.RECEIVABLES) for one in journal.currencies}
    booked = {currency: amount for currency, amount in booked.items() if amount}
    return [] if booked == dict(owed) else [f"receivables are {booked}, and the Office owes {dict(owed)}"]
