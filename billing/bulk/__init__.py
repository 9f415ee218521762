"""Bulk acts: one thing that a person does to many Offices, one after another, by a job.

A kind says what is done to one Office, and of which Offices it can be done:

    MOVE = kinds.register(
        BulkKind(
            name="move_price",                  # stored: it must not change
            title="Move to another price",
            says="Each Office gets the new price …",
            power=Power.OPERATE,
            judge=judge,                        # (offices, given) -> {office.pk: what is stored for it, or Cannot(why)}
            work=work,                          # (Work) -> what is said of it, or Result(says, data)
        )
    )

Then a page, or anything else that a person asked, starts one. A job does the rest:

    judged = judging.judge(MOVE, offices, given)                        # for the page before it
    act = starting.start(MOVE, offices, by=by, reason=reason, given={"price": "practice-yearly"})
    reverse("admin:billing_bulkact_change", args=[act.pk])              # its page, which refreshes by itself

``given`` is one dict for all rows and ``Work.own`` one for each row, of values that JSON has. Typed text in them was
judged before. ``starting.start`` judges again and keeps each Office that cannot be acted on as a row that is left out.

``work`` is called outside any transaction, as the person who started it, with the reason. It calls ``perform`` at most
once, so that the row has at most one operation, and a process that is killed repeats none. What asks nothing of Stripe
and calls no ``perform`` is ``local``: it is done in one transaction with its row. A refusal (``BillingError``) is the
result of its row, and the rest goes on. The power is asked for again before each row. ``Result.data`` is kept in
``row.given["result"]``, for whoever reads the rows later, such as a preview of each Office.
"""
