"""Is production still what the model was made for: feed, drift, performance, and one health of a window."""
