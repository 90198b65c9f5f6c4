"""How the tables came to be what they are: one module a step in versions/, named by its number.

After a change in warehouse/tables/, `python -m warehouse.migrations "Why"` writes the next step.
"""
