"""Nothing of our own: Recipes expects the module to be there."""
