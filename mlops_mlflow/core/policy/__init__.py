"""What a registry stage transition needs, and whether it is there."""
