"""The pages at /billing/ for an Office's own people: how it stands, its invoices, its subscription and its members.

They are a face, as the API is: they read our rows, ask for the same operations, and decide nothing. OFFICE_PAGES turns
them off. All of their words are in ``texts``, or are made by the modules that say the same in the admin and the API.
"""
