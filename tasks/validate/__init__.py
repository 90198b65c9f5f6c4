"""The contract's rules: accepted rows, faults, a result of every rule; Great Expectations and its Data Docs."""
