"""The page of an Office: what state it is in and what is next, in a sentence, and below it what that rests on.

``rows`` reads all that the page shows, in a fixed number of statements. The other modules say it, and query nothing.
"""
