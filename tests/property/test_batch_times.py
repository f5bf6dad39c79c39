"""Times of a batch, however they are written, are the moments that are meant."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_mlflow.core.usecase.data import Source
from mlops_mlflow.engines.batch import open_batch

ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"])
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)).map(lambda time: time.replace(microsecond=0))
OFFSETS = st.integers(-12 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))


@st.composite
def written(draw: st.DrawFn) -> tuple[str, list[str], list[datetime]]:
    """A zone, texts of moments, some with an offset and some as the zone's clock shows them, and the moments."""
    zone = draw(ZONES)
    texts, moments = [], []
    for naive in draw(st.lists(MOMENTS, min_size=1, max_size=8)):
        moment = naive.replace(tzinfo=UTC)
        local = moment.astimezone(ZoneInfo(zone))
        once = local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset()
        if draw(st.booleans()) and once:
            texts.append(local.replace(tzinfo=None).isoformat(sep=draw(st.sampled_from(" T"))))
        else:
            texts.append(moment.astimezone(draw(OFFSETS)).isoformat(sep=draw(st.sampled_from(" T"))))
        moments.append(moment)
    return zone, texts, moments


@given(written(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_every_time_is_the_moment_that_is_meant(case: tuple[str, list[str], list[datetime]], zoned: bool) -> None:
    zone, texts, moments = case
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        # Beside one that is no time the column is text, and each is read by itself.
        (folder / "rows.csv").write_text("\n".join(["n,t", *(f"{n},{t}" for n, t in enumerate([*texts, "never"]))]))
        batch = open_batch(
            Source(path="rows.csv"),
            takes={"t": "datetime"},
            folder=folder,
            environment={},
            scratch=folder,
            zoned={"t": zoned},
            zone=zone,
        )
        found = pd.read_parquet(batch.path)["t"]
    assert pd.isna(found.iloc[-1])
    assert [one.count for one in batch.misfits] == [1]
    if zoned:
        assert found[:-1].tolist() == [pd.Timestamp(moment) for moment in moments]
    else:
        clocks = [pd.Timestamp(moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)) for moment in moments]
        assert found[:-1].tolist() == clocks
