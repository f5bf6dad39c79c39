"""Work with versions that are in use: each job is a run of its own in the use case's experiment."""
