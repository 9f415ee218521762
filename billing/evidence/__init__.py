"""What a reviewer gets: the controls of the HIPAA Security Rule, and what this installation shows of them."""
