"""What people read before they decide about a version, and what the registry shows of it."""
