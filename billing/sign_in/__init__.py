"""How people sign in: with e-mail address and password, a passkey, or the vendor's provider, and a second factor."""
