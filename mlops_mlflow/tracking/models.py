"""Models as MLflow keeps them: skops format, pinned requirements, explicit signature, user code beside them."""

from __future__ import annotations

import ast
import importlib.metadata
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mlops_mlflow.core.errors import CandidateError
from mlops_mlflow.core.records import Model
from mlops_mlflow.core.usecase.data import ColumnType
from mlops_mlflow.engines.distributions import distributions_of

ALWAYS = ("mlflow", "scikit-learn", "pandas", "numpy", "scipy", "skops")
SAFE = ("sklearn.", "numpy.", "scipy.sparse.", "builtins.")


def save_model(model: Model, folder: Path, *, run_id: str, model_id: str) -> None:
    """Write a fitted estimator as an MLflow model.

    Args:
        model: What to write.
        folder: Where to; must not exist.
        run_id: Run that it comes from.
        model_id: Id of MLflow's logged model.

    Raises:
        CandidateError: It holds types that nobody has declared as safe to load.
    """
    import mlflow.sklearn
    from mlflow.exceptions import MlflowException
    from mlflow.models import Model as MlflowModel

    try:
        mlflow.sklearn.save_model(
            model.estimator,
            str(folder),
            mlflow_model=MlflowModel(run_id=run_id, model_id=model_id),
            code_paths=[str(model.code)] if model.code else None,
            serialization_format="skops",
            signature=signature(model),
            pip_requirements=requirements(model),
            skops_trusted_types=trusted_types(model),
        )
    except MlflowException as error:
        if "could not be serialized" in error.message:
            raise _not_without_pickle(model, "it holds a lambda, or a function or class inside another") from error
        raise


def signature(model: Model) -> Any:
    """What goes in and comes out. Whole numbers are promised as such only where the example rows miss none."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    kinds = {
        "b": DataType.boolean,
        "i": DataType.long,
        "u": DataType.long,
        "f": DataType.double,
        "M": DataType.datetime,
    }
    example = model.example
    columns = [
        ColSpec(kinds.get(example[name].dtype.kind, DataType.string), str(name), required=False) for name in example
    ]
    made = model.estimator.predict(example.head(2))
    kind = kinds.get(getattr(made.dtype, "kind", "O"), DataType.string)
    return ModelSignature(inputs=Schema(columns), outputs=Schema([ColSpec(kind)]))


def trusted_types(model: Model) -> list[str]:
    """Types in the model beyond skops's own list: scikit-learn's, the model's own code, and the declared ones.

    Raises:
        CandidateError: There are others.
    """
    import skops.io

    own = f"{model.code.name}." if model.code else None
    try:
        found = skops.io.get_untrusted_types(data=skops.io.dumps(model.estimator))
    except Exception as error:
        raise _not_without_pickle(model, f"{type(error).__name__}: {error}") from error
    strange = [
        name
        for name in found
        if not (name.startswith(SAFE) or (own and name.startswith(own)) or name in model.trusted_types)
    ]
    if strange:
        raise CandidateError(
            f"candidate `{model.name}` holds types that are not known to be safe to load",
            expected="types of scikit-learn, of the feature module, or declared ones",
            got=", ".join(strange),
            hint=f"if you trust them: `features: {{trusted_types: [{', '.join(strange)}]}}`",
        )
    return sorted(found)


def _not_without_pickle(model: Model, got: str) -> CandidateError:
    return CandidateError(
        f"candidate `{model.name}` cannot be saved without pickle",
        expected="an estimator that skops can write",
        got=got,
        hint="take another estimator; in the feature module, use functions and classes at its top level",
    )


def requirements(model: Model) -> list[str]:
    """Pinned distributions that loading and predicting need."""
    modules = {type(step).__module__.partition(".")[0] for step in _parts(model.estimator)}
    if model.code:
        modules |= {name for file in model.code.glob("*.py") for name in _imported(file)}
        modules -= {model.code.name}
    names = set(ALWAYS)
    for module in modules - set(sys.stdlib_module_names):
        names |= set(distributions_of(module)) - {"mlops-mlflow", "mlflow-skinny"}
    return sorted(f"{name}=={importlib.metadata.version(name)}" for name in names)


def _parts(estimator: Any) -> Iterable[Any]:
    yield estimator
    for value in estimator.get_params(deep=True).values():
        if hasattr(value, "get_params") or hasattr(value, "fit"):
            yield value


def _imported(file: Path) -> Iterable[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


def load_model(uri: str, folder: Path) -> tuple[Any, float]:
    """Download a scikit-learn model by any URI that MLflow knows.

    Args:
        uri: ``models:/...`` or another.
        folder: Where its files go.

    Returns:
        The estimator, and the size of its files in MB.
    """
    return load_folder(download(uri, folder))


def download(uri: str, folder: Path) -> Path:
    """Download a model by any URI that MLflow knows; the folder that its files are in then."""
    import mlflow.artifacts

    folder.mkdir(parents=True, exist_ok=True)
    return Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(folder)))


def column_types(folder: Path) -> dict[str, ColumnType]:
    """Columns that a model takes, in their order, by its signature; none where it has no signature of columns."""
    from mlflow.models import Model as MlflowModel
    from mlflow.types import DataType

    kinds: dict[DataType, ColumnType] = {
        DataType.boolean: "boolean",
        DataType.integer: "integer",
        DataType.long: "integer",
        DataType.float: "number",
        DataType.double: "number",
        DataType.string: "string",
        DataType.datetime: "datetime",
    }
    found = MlflowModel.load(str(folder)).signature
    inputs = [] if found is None or found.inputs is None or found.inputs.is_tensor_spec() else found.inputs.inputs
    return {one.name: kinds[one.type] for one in inputs if one.name is not None and one.type in kinds}


def load_folder(folder: Path) -> tuple[Any, float]:
    """Load a scikit-learn model whose files are here: the estimator, and their size in MB."""
    import mlflow.sklearn

    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
    return mlflow.sklearn.load_model(str(folder)), size


def model_file(uri: str, path: str, folder: Path) -> str | None:
    """Text of a file that travels with a model; None where it has none of that name."""
    import mlflow.artifacts
    from mlflow.exceptions import MlflowException

    folder.mkdir(parents=True, exist_ok=True)
    try:
        local = mlflow.artifacts.download_artifacts(f"{uri}/{path}", dst_path=str(folder))
    except (MlflowException, OSError):
        return None
    return Path(local).read_text(encoding="utf-8")
