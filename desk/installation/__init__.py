"""What an installation is made of (`files/`), how it is laid down, and what a night of it needs."""
