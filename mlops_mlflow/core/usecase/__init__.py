"""The use case file: one frozen model per section, read from YAML with lines kept for messages."""
