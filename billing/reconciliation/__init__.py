"""Nobody told us: everything that Stripe lists is held against our rows, and what differs is looked at.

    manage.py reconcile          what is open and what is recent; every night by itself
    manage.py reconcile --full   all of the past
    manage.py reconcile --adopt  and an Office is made of each subscribed customer that has none: the backfill

Stripe's lists are paged, a hundred objects a request (``stages``). A page is a hint, as an event is: a difference, or
the absence of what should be there, causes a look, and the look repairs (``drift``). Before that, events that never
arrived are put into the inbox (``missed_events``). Only an Office that is being adopted is built from the pages
themselves, with a ticket that is older than every look (``adoption``).

It is carried on page by page under a lease (``runs``): killed anywhere, it goes on from the page that it was at.
Cards beside the default one are in no list that can be paged; they come by
events and looks. Nothing here asks for a change at Stripe.
"""

from billing.reconciliation.runs import begin, carry_on, end, reconcile

__all__ = ["begin", "carry_on", "end", "reconcile"]
