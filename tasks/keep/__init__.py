"""A copy of an installation elsewhere, an installation from a copy, and what goes once it was kept for long enough."""
