"""The ledger of decisions: records in a chain, and what follows from them."""
