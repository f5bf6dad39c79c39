"""Steps of the peer's recipe."""
