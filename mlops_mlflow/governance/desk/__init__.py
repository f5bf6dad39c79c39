"""Where transitions are asked for, approved, decided and made: each in one change of the registry and the ledger."""
