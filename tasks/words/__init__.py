"""Vietnamese text as people write it, and keys made of text."""
