"""Pages that need no sign-in: what a link in an e-mail opens, and the e-mails of the demo."""
