"""The ML lifecycle on MLflow alone: from a business question to a governed, monitored model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops_mlflow.lifecycle.usecase import UseCase

__version__ = "0.1.0"
__all__ = ["UseCase", "__version__"]


def __getattr__(name: str) -> Any:
    """Load late: ``mlops --help`` and MLflow's plugins import this package, and need neither."""
    if name == "UseCase":
        from mlops_mlflow.lifecycle.usecase import UseCase

        return UseCase
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
