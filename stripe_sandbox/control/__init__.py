"""The control plane: what only a test, or a person at the controls, may do."""
