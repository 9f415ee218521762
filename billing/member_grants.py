"""The grants of members are as the table of roles says: mended by a job each hour, and after each migrate.

Saving a membership writes its grants. What is mended here came in another way: an end that was set in advance is over,
the table of roles changed, or the version before wrote them.
"""

from datetime import timedelta

from billing import jobs
from billing.access import grants
from billing.audit import actor, trail


@jobs.job("mend-grants", every=timedelta(hours=1))
def mend() -> None:
    """Write the grants that are not right. Repeating is a no-op."""
    with trail.acting(actor.job("mend-grants"), reason="as the table of roles says"):
        grants.mend()
