"""How often one caller may ask: counted once for each request, told in the headers of each answer.

``config/rate_limits.py`` is the table of the limits, ``addresses`` says which one an address has, ``shared`` and
``process`` count, ``requests`` ties a request to its count.
"""

from billing.limits import lockout, shared

__all__ = ["lockout", "shared"]
