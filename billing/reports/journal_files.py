"""The journal as files: each entry for people, and sums for QuickBooks Online and for Xero, in the columns they import.

The two programs take few lines at once (Xero 300), so they get one journal a month for each kind of entry and currency,
dated on the last day of the month. Their first line must be the names of the columns, so what is not in the journal is
said in the text of each of their journals.

Source: https://help.xero.com/nz/ManualJournalsImport and
https://quickbooks.intuit.com/learn-support/en-us/help-article/import-export-data-files/import-journal-entries-quickbooks-online/L0OYGmMM7_US_en_US
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings

from billing import errors
from billing.access import roles
from billing.access.roles import Power
from billing.audit import search, trail
from billing.audit.actor import Actor
from billing.clock import wall
from billing.money import Money
from billing.reports import tables
from billing.reports.journal import NOT_IN_IT, Journal, Month
from billing.reports.journal_entries import Account, Entry, Kind
from billing.reports.tables import Cell

DETAILED, QUICKBOOKS, XERO = "csv", "quickbooks", "xero"
COLUMNS = (
    *("Entry", "Date (UTC)", "Kind", "Office id", "Office", "Document", "Text"),
    *("Account", "Debit", "Credit", "Currency"),
)
OF_QUICKBOOKS = ("JournalNo", "JournalDate", "AccountName", "Debits", "Credits", "Description", "Name", "Currency")
OF_XERO = (
    *("*Narration", "*Date", "Description", "*AccountCode", "*TaxRate", "*Amount"),
    *("TrackingName1", "TrackingOption1", "TrackingName2", "TrackingOption2"),
)
XERO_TAX_RATE = "xero_tax_rate"
TIED = ("Currency", "What is compared", "Journal", "Compared with", "Difference")
SUMMED = ("Currency", "Account", "Before the month", "Debit in the month", "Credit in the month", "After the month")

Line = Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Summed:
    """All entries of one kind and currency in a month, as one journal: minor units by account."""

    number: str
    kind: Kind
    currency: str
    lines: dict[Account, int]


def name_of(account: Account) -> str:
    """Return what the vendor's books call the account."""
    names: Mapping[str, str] = settings.JOURNAL_ACCOUNTS
    return names[account]


def record(month: Month, form: str, *, by: Actor, reason: str) -> None:
    """Put on record that somebody exports the journal: before anything of it is shown.

    Raises: NotPermitted, ReasonRequired, TextNotNeutral.
    """
    if by.user is not None:
        roles.require(by, Power.LISTS)
    with trail.acting(by, reason=trail.checked_reason(reason)):
        what = f"exported the journal of {month} for {form}"
        trail.record_act(trail.installation(), what, data={"code": search.EXPORTED})


def written(month: Month, form: str, *, currency: str = "") -> Iterator[bytes]:
    """Yield the file. Nothing is checked or recorded here. Raises: OneCurrencyAtATime: before the first part."""
    return FORMS[form](Journal(month), currency)


def read_through(journal: Journal) -> Journal:
    """Count all entries, and keep none."""
    for _ in journal.entries():
        pass
    return journal


def summed(journal: Journal) -> list[Summed]:
    """Return the sums of a journal that was read through, by currency and kind. What sums up to nothing is left out."""
    found: list[Summed] = []
    for currency in journal.currencies:
        number = 0
        for kind in Kind:
            lines = {account: journal.by_kind.get((currency, kind, account), 0) for account in Account}
            lines = {account: amount for account, amount in lines.items() if amount}
            if lines:
                number += 1
                found.append(Summed(f"{journal.month}-{currency.upper()}-{number:02}", kind, currency, lines))
    return found


def tied(journal: Journal) -> Iterator[Line]:
    """Yield what is held against each other. The last column must be zero."""
    for tie in journal.ties():
        numbers = (tie.journal, tie.held_against, tie.difference)
        yield (tie.currency.upper(), tie.what, *(_decimal(one, tie.currency) for one in numbers))


def accounts(journal: Journal) -> Iterator[Line]:
    """Yield each account before the month, its debits and credits in it, and after it. A credit is below zero."""
    for currency in journal.currencies:
        for account in Account:
            key = currency, account
            before, after = journal.opening.get(key, 0), journal.closing(currency, account)
            numbers = (before, journal.debits.get(key, 0), journal.credits.get(key, 0), after)
            if any(numbers):
                yield (currency.upper(), name_of(account), *(_decimal(one, currency) for one in numbers))


def heading(month: Month) -> list[str]:
    """Return what the file is, in sentences."""
    return [
        f"Journal of {month.in_words}: from {month.start:%Y-%m-%d} 00:00 to {month.end:%Y-%m-%d} 00:00 UTC",
        f"{NOT_IN_IT}. Take them from Stripe's payout report.",
        f"Made on {wall():%Y-%m-%d %H:%M} UTC, from what was known then"
        + (". The month is not over." if wall() < month.end else "."),
    ]


def _detailed(journal: Journal, currency: str) -> Iterator[bytes]:
    return tables.as_csv(_lines_of(journal, currency))


def _lines_of(journal: Journal, currency: str) -> Iterator[Line]:
    for sentence in heading(journal.month):
        yield (sentence,)
    yield ()
    yield COLUMNS
    for number, entry in enumerate(_in(currency, journal.entries()), 1):
        yield from _lines(number, entry)
    yield ()
    yield ("The accounts",)
    yield SUMMED
    yield from accounts(journal)
    yield ()
    yield ("Checks: each difference must be 0",)
    yield TIED
    yield from tied(journal)


def _in(currency: str, entries: Iterator[Entry]) -> Iterator[Entry]:
    """Yield the entries of this currency, or all. The others are counted too."""
    return (one for one in entries if currency in ("", one.currency))


def _lines(number: int, entry: Entry) -> Iterator[Line]:
    about = (number, f"{entry.at:%Y-%m-%d}", entry.kind, str(entry.office.public_id), entry.office.name)
    for account, amount in entry.lines.items():
        if amount:
            sides = _sides(amount, entry.currency)
            yield (*about, entry.reference, entry.text, name_of(account), *sides, entry.currency.upper())


def _quickbooks(journal: Journal, currency: str) -> Iterator[bytes]:
    return tables.as_csv(_lines_for_quickbooks(journal, currency), marked=False)


def _lines_for_quickbooks(journal: Journal, currency: str) -> Iterator[Line]:
    yield OF_QUICKBOOKS
    day = _last_day(journal.month)
    for one in summed(read_through(journal)):
        if currency in ("", one.currency):
            for account, amount in one.lines.items():
                sides = _sides(amount, one.currency)
                text = _narration(one, journal.month)
                yield (one.number, f"{day:%m/%d/%Y}", name_of(account), *sides, text, "", one.currency.upper())


def _xero(journal: Journal, currency: str) -> Iterator[bytes]:
    """Xero's file has no currency: one file has one. Raises: OneCurrencyAtATime."""
    sums = [one for one in summed(read_through(journal)) if currency in ("", one.currency)]
    found = sorted({one.currency.upper() for one in sums})
    if len(found) > 1:
        raise errors.OneCurrencyAtATime(found)
    return tables.as_csv(_lines_for_xero(journal.month, sums), marked=False)


def _lines_for_xero(month: Month, sums: list[Summed]) -> Iterator[Line]:
    yield OF_XERO
    rate = settings.JOURNAL_ACCOUNTS[XERO_TAX_RATE]
    for one in sums:
        for account, amount in one.lines.items():
            number = _decimal(amount, one.currency)
            day = f"{_last_day(month):%d/%m/%Y}"
            yield (_narration(one, month), day, one.number, name_of(account), rate, number, "", "", "", "")


def _narration(one: Summed, month: Month) -> str:
    return f"{one.kind}, {month.in_words}, {one.currency.upper()} ({NOT_IN_IT})"


def _last_day(month: Month) -> datetime:
    return month.end - timedelta(days=1)


def _sides(amount: int, currency: str) -> tuple[Cell, Cell]:
    """Return the debit and the credit: one of them is empty."""
    number = _decimal(abs(amount), currency)
    return (number, "") if amount > 0 else ("", number)


def _decimal(amount: int, currency: str) -> Decimal:
    return Money(amount, currency).decimal


FORMS: dict[str, Callable[[Journal, str], Iterator[bytes]]] = {
    DETAILED: _detailed,
    QUICKBOOKS: _quickbooks,
    XERO: _xero,
}
