"""What was done before and need not be done again: keys, where results are found, and how they come back."""
