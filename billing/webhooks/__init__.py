"""What Stripe tells us: received, kept as a hint, looked at, settled."""
