"""All rows of the table of variables, by section."""

from typing import Any

from config.variables import backups, database, mail, signing_in, site, stripe, trail, watching
from config.variables.variable import Variable

SECTIONS: dict[str, tuple[Variable[Any], ...]] = {
    "The site": site.ROWS,
    "Signing in": signing_in.ROWS,
    "Stripe": stripe.ROWS,
    "E-mail": mail.ROWS,
    "The database": database.ROWS,
    "The audit trail": trail.ROWS,
    "Backups": backups.ROWS,
    "Watching it": watching.ROWS,
}
VARIABLES = {row.name: row for rows in SECTIONS.values() for row in rows}
