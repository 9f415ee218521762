"""By which fields a list is searched for a name, as ``search_fields`` takes them."""

NAME = ("name_folded__finds", "name")
OFFICE = ("office__name_folded__finds", "office__name")
"""Folded; and by its letters, as a version that folds no names may have written the row just now."""
