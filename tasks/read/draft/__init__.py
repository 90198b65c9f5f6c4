"""A file that nobody described yet → the layout for it, drafted for a person to look over."""
