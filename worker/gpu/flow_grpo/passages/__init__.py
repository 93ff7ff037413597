"""A full-text index of passages that the tool `passages` searches: built once, never changed."""
