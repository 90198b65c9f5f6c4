"""Official computations that are more than a ratio: form 06a and the score of decision 766, their rules as data."""
