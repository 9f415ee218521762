"""The comparison of everything that Stripe lists with our rows.

    manage.py reconcile          compare what is open and what is recent; it also runs every night
    manage.py reconcile --full   compare all of the past
    manage.py reconcile --adopt  also make an Office of each subscribed customer that has none

Stripe's lists are read page by page, a hundred objects in each request (``stages``). A page is a hint, like an event.
A difference causes a look, and so does a missing object. The look repairs our rows (``drift``). Before that, events
that never arrived are put into the inbox (``missed_events``). Only an Office that is being adopted is built from the
pages themselves, with a ticket that is older than every look (``adoption``).

A worker continues the comparison page by page under a lease (``runs``). If it is killed, it continues with the page
where it was. Cards other than the default card are in no list that can be paged, so only events and looks bring them.
Nothing here asks for a change at Stripe.
"""

from billing.reconciliation.runs import begin, carry_on, end, reconcile

__all__ = ["begin", "carry_on", "end", "reconcile"]
