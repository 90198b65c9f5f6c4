"""The contract's rules: accepted rows, faults, a result of every rule, by Great Expectations; Data Docs of what all steps found."""
