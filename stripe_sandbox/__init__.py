"""A local, stateful imitation of Stripe over HTTP. It knows nothing about the project around it."""
