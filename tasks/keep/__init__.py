"""A copy of an installation elsewhere, and an installation from a copy."""
