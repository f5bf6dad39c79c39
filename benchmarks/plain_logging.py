"""The floor of logging: what a stage says, written as directly as MLflow's client allows."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def log_plainly(client: Any, experiment: str, records: Sequence[Any]) -> None:
    """One batch for each run, one folder of files, models without requirements to infer; no card, no links, no checks.

    Args:
        client: MLflow's.
        experiment: Where to.
        records: What a stage said.
    """
    from mlops_mlflow.core import records as kinds

    runs = {kinds.OWN_RUN: client.create_run(experiment).info.run_id}
    for one in records:
        if isinstance(one, kinds.ChildRun):
            runs[one.key] = client.create_run(experiment, run_name=one.name).info.run_id
    for name, run_id in runs.items():
        _batch(client, run_id, [one for one in records if getattr(one, "run", None) == name])
    with tempfile.TemporaryDirectory() as folder:
        for one in records:
            if isinstance(one, kinds.Artifact) and one.run == kinds.OWN_RUN:
                _write(Path(folder) / one.path, one.content)
            elif isinstance(one, kinds.Model):
                _model(client, experiment, runs[one.run], one, Path(folder) / "models" / one.name)
        client.log_artifacts(runs[kinds.OWN_RUN], folder)
    for run_id in runs.values():
        client.set_terminated(run_id)


def _batch(client: Any, run_id: str, records: Sequence[Any]) -> None:
    from mlflow.entities import Metric, Param, RunTag

    from mlops_mlflow.core import records as kinds

    now = int(time.time() * 1000)
    client.log_batch(
        run_id,
        metrics=[Metric(one.name, one.value, now, one.step) for one in records if isinstance(one, kinds.Metric)],
        params=[Param(one.name, str(one.value)) for one in records if isinstance(one, kinds.Param)],
        tags=[RunTag(one.name, one.value) for one in records if isinstance(one, kinds.Tag)],
    )


def _write(file: Path, content: str | bytes | Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, Path):
        content = content.read_bytes()
    file.write_bytes(content.encode() if isinstance(content, str) else content)


def _model(client: Any, experiment: str, run_id: str, model: Any, folder: Path) -> None:
    import mlflow.sklearn
    import skops.io
    from mlflow.models import infer_signature

    logged = client.create_logged_model(experiment, name=model.name, source_run_id=run_id)
    mlflow.sklearn.save_model(
        model.estimator,
        str(folder),
        code_paths=[str(model.code)] if model.code else None,
        serialization_format="skops",
        signature=infer_signature(model.example, model.estimator.predict(model.example)),
        pip_requirements=["mlflow", "scikit-learn"],
        skops_trusted_types=skops.io.get_untrusted_types(data=skops.io.dumps(model.estimator)),
    )
    client.log_model_artifacts(logged.model_id, str(folder))
    client.finalize_logged_model(logged.model_id, "READY")
