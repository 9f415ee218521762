"""How days and times are written: the same in the admin's lists as in our own sentences."""
