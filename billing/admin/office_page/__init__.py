"""The page of an Office: what state it is in and what is next, in a sentence, and below it what that rests on.

``billing.office_state`` reads its rows and says the sentences. The other modules show it, and query nothing.
"""
