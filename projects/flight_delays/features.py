"""Features of a flight that need no fitting."""

import pandas as pd


def derive(table: pd.DataFrame) -> pd.DataFrame:
    """Add the age of the plane, whether it rains, and how far the day has come."""
    departure = table["scheduled_departure"]
    return table.assign(
        plane_age=departure.dt.year - table["plane_built"],
        wet=(table["precip"] > 0).astype(float),
        departure_minute=departure.dt.hour * 60 + departure.dt.minute,
    ).drop(columns=["plane_built", "precip"])
