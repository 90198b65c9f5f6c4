"""Counts to indicator values, up the hierarchy; the audit before publication."""
