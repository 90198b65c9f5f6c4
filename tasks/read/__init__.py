"""From a file to typed Arrow; personal data is hashed or dropped here."""
