"""Random lives of a customer at Stripe, told in random orders to workers that are overtaken and killed."""
