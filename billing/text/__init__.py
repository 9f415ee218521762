"""The gate for texts that people type: none may point to a patient. Pure: it knows no form or request.

``gate`` judges a text, and ``fields`` the columns of a model by their names. ``views`` gives the forms in which a text
is searched. The other modules each look for some kinds of what is refused.
"""
