"""Training of the vision transformer."""
