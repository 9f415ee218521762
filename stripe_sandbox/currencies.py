"""The currencies, and how an amount of each is written.

Source: https://docs.stripe.com/currencies
"""

WITHOUT_DECIMALS = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split())
THREE_DECIMALS = frozenset("bhd jod kwd omr tnd".split())
TWO_DECIMALS = frozenset(
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd btn bwp byn bzd cad cdf chf cny cop "
    "crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel ghs gip gmd gtq gyd hkd hnl htg huf idr ils inr isk jmd kes "
    "kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mru mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd "
    "pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std svc szl thb tjs top try ttd twd "
    "tzs uah usd uyu uzs wst xcd xcg yer zar zmw".split()
)
CURRENCIES = TWO_DECIMALS | WITHOUT_DECIMALS | THREE_DECIMALS
DEFAULT = "usd"
"""The account's own currency."""


def money(amount: int, currency: str) -> str:
    """Return an amount of minor units as a person reads it."""
    if currency in WITHOUT_DECIMALS:
        return f"{amount:,} {currency.upper()}"
    decimals = 3 if currency in THREE_DECIMALS else 2
    whole, part = divmod(abs(amount), 10**decimals)
    return f"{'-' if amount < 0 else ''}{whole:,}.{part:0{decimals}} {currency.upper()}"
