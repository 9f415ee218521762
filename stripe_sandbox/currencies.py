"""The currencies, and how an amount of each is written.

Source: https://docs.stripe.com/currencies
"""

from stripe_sandbox.errors import invalid

WITHOUT_DECIMALS = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
THREE_DECIMALS = frozenset("bhd jod kwd omr tnd".split())
"""The last of the three decimals of a charge is 0."""
ALWAYS_WHOLE = frozenset("isk ugx".split())
"""They have no decimals any more, and are still sent with two, which are 00: 5 UGX is the amount 500."""
TWO_DECIMALS = frozenset(
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd btn bwp byn bzd cad cdf chf cny cop "
    "crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel ghs gip gmd gtq gyd hkd hnl htg huf idr ils inr jmd kes "
    "kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mru mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd "
    "pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std svc szl thb tjs top try ttd twd "
    "tzs uah usd uyu uzs wst xcd xcg yer zar zmw".split()
)
"""HUF and TWD are among them: only their payouts are whole."""
CURRENCIES = TWO_DECIMALS | ALWAYS_WHOLE | WITHOUT_DECIMALS | THREE_DECIMALS
LEAST = {
    **dict.fromkeys("aud brl cad chf eur inr jpy nzd sgd usd".split(), 50),
    **{"aed": 200, "bgn": 100, "czk": 1500, "dkk": 250, "gbp": 30, "hkd": 400, "huf": 17_500, "mxn": 1000, "myr": 200},
    **{"nok": 300, "pln": 200, "ron": 200, "sek": 300, "thb": 1000},
}
"""The least that can be charged, in minor units. Source: …/currencies#minimum-and-maximum-charge-amounts"""
SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}
DEFAULT = "usd"
"""The account's own currency."""


def unit(currency: str) -> int:
    """Return the smallest amount that can be charged apart from another, in minor units. All amounts are multiples."""
    return 100 if currency in ALWAYS_WHOLE else 10 if currency in THREE_DECIMALS else 1


def check(amount: int, currency: str, param: str) -> None:
    """Refuse an amount with a fraction that its currency does not have. Raises: Stripe's 400.

    The sentence for ISK and UGX is Stripe's, from https://github.com/woocommerce/woocommerce-gateway-stripe/pull/2723
    """
    if amount % unit(currency) == 0:
        return
    if currency in ALWAYS_WHOLE:
        raise invalid(
            f"Invalid amount. Currency {currency.upper()} has become effectively zero-decimal and charged amounts must "
            "be evenly divisible by 100. See https://stripe.com/docs/currencies#zero-decimal for more information.",
            param=param,
        )
    raise invalid(
        f"Invalid amount. The last digit of an amount in {currency.upper()} must be 0. "
        "See https://stripe.com/docs/currencies#three-decimal for more information.",
        param=param,
    )


def least(currency: str) -> int:
    """Return the least that can be charged, in minor units. Only some currencies have an amount of their own."""
    return LEAST.get(currency, unit(currency))


def check_charge(amount: int, currency: str, param: str) -> None:
    """Refuse an amount that cannot be charged: too little, or with a wrong fraction. Raises: Stripe's 400."""
    if amount < least(currency):
        number = money(least(currency), currency).partition(" ")[0]
        raise invalid(
            f"Amount must be at least {SYMBOLS.get(currency, '')}{number} {currency}",
            param=param,
            code="amount_too_small",
        )
    check(amount, currency, param)


def money(amount: int, currency: str) -> str:
    """Return an amount of minor units as a person reads it."""
    if currency in WITHOUT_DECIMALS:
        return f"{amount:,} {currency.upper()}"
    decimals = 3 if currency in THREE_DECIMALS else 2
    whole, part = divmod(abs(amount), 10**decimals)
    cents = "" if currency in ALWAYS_WHOLE else f".{part:0{decimals}}"
    return f"{'-' if amount < 0 else ''}{whole:,}{cents} {currency.upper()}"
