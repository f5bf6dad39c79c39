"""Plans and runs stages: which are missing, what each is given, how they are recorded and shown."""
