"""Operations on plans: a plan is made, published, renamed and retired, and so are its prices. No money moves.

They are declared as operations on an Office are. They have no Office, so a table and a lock of their own.
"""

from billing.operations.plans import prices, retiring

__all__ = ["prices", "retiring"]
