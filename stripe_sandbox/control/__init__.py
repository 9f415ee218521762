"""The control plane: what only a test, or a person at the control pages, may do."""
