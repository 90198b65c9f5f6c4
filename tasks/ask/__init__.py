"""What people ask of the warehouse: tables, cards, explanations, states."""
