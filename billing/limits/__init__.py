"""How often one caller may ask: counted once for each request, told in the headers of each answer.

``config/rate_limits.py`` is the table of the limits, ``addresses`` says which one an address has, ``process`` and
``billing.rate_counts`` count, ``requests`` ties a request to its count.
"""

from billing.limits import lockout

__all__ = ["lockout"]
