VERSION = "0.1.0"
"""Of the product, as in pyproject.toml, which is not where the product is installed."""
