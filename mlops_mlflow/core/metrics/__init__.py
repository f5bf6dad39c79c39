"""Metrics: what they are called and mean (``catalogue``), and how they are computed with row weights (``measure``)."""
