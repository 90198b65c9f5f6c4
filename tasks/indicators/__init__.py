"""Counts to indicator values, up the hierarchy; the audit and the gate before publication."""
