"""What an operation is, and how any of them is carried out. The operations themselves stand beside this folder."""
