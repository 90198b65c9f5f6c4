"""How the tables came to be what they are: one module a step in versions/, named by its number."""
