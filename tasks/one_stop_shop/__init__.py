"""Official tables of the one-stop-shop: form II.06a and the score of decision 766."""
