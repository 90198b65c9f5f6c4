"""What a source and a delivery are, what a delivery covers, the ledger, the run lock."""
