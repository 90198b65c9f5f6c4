"""`make bench`: how fast the night is, and how much memory it takes, as ratios measured in one run."""
