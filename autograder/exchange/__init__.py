"""A course goes out to students and learning systems, and comes back."""
