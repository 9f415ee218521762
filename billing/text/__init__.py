"""The gate for texts that people type: none may point to a patient. Pure: it knows no model, form or request.

``gate`` is the only door. ``views`` gives the forms in which a text is searched; the other modules each look for some
kinds of what is refused: ``dates``, ``numbers``, ``contacts``, ``codes`` and ``words``.
"""
