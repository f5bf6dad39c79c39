"""The Model Registry: the one way in which versions are registered and change their registry stage."""
