"""Random lives of a customer at Stripe. Their events come in random orders to workers that are overtaken and killed."""
