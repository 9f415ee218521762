"""A local, stateful Stripe over HTTP. It knows nothing of the project around it."""
