"""Compares the artifacts of runs with their manifests and with the rows of the database."""
