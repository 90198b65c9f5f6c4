"""Accepted rows to dimensions and facts, in one transaction: what replaces what, history, lists, quarantine."""
