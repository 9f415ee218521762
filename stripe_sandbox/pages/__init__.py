"""The pages for people, in plain HTML."""
