"""The one place where MLflow's and the network's exceptions become ours."""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Iterator

from mlops_mlflow.core.errors import MlopsError, RegistryError, StorageError, TrackingError

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# As SQLAlchemy reads a URL: everything from the first colon after `//` to the last `@` is the password.
_PASSWORD = re.compile(r"(://[^:/@\s]*):\S*@")
_OPTION = re.compile(r"([?&](?:password|passwd|pwd|token|secret)=)[^&\s]*", re.IGNORECASE)


@contextlib.contextmanager
def translated(doing: str, *, uri: str, kind: type[TrackingError] = TrackingError) -> Iterator[None]:
    """Turn whatever MLflow, its HTTP client or the disk raises into one of our errors.

    Args:
        doing: What was being done, as in "could not ...".
        uri: Of the server, without a password.
        kind: ``TrackingError``, or ``RegistryError`` for the registry.
    """
    import requests
    import sqlalchemy.exc
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlopsError:
        raise
    except MlflowException as error:
        if (disk := _full(error)) is not None:
            raise _storage(doing, disk) from error
        hint = "look at the server's log" if error.get_http_status_code() >= 500 else "check permissions and names"
        got = f"{error.error_code}: {without_password(error.message)}"  # MLflow's messages quote the whole address
        raise kind(f"could not {doing}", got=got, hint=f"{hint} ({uri})") from error
    except requests.exceptions.RequestException as error:
        raise unreachable(uri, type(error).__name__) from error
    except sqlalchemy.exc.SQLAlchemyError as error:
        got = str(getattr(error, "orig", error)).splitlines()[0]
        raise kind(f"could not {doing}", got=got, hint=f"check the tracking database ({uri})") from error
    except OSError as error:
        raise _storage(doing, error) from error


def without_password(text: str) -> str:
    """A URI, or a text with URIs in it, with ``user:password@`` reduced to the user and secret options hidden."""
    return _OPTION.sub(r"\1***", _PASSWORD.sub(r"\1@", text))


def unreachable(uri: str, got: str) -> TrackingError:
    """The server, or the database, does not answer."""
    return TrackingError(
        f"the tracking server {uri} cannot be reached",
        expected="an MLflow server, or a database, that answers there",
        got=got,
        hint="start it, or set MLFLOW_TRACKING_URI (unset, or sqlite:///mlflow.db, needs no server)",
    )


def _full(error: BaseException | None) -> OSError | None:
    """The disk's complaint, where MLflow has wrapped it."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return error
        error = error.__cause__ or error.__context__
    return None


def _storage(doing: str, error: OSError) -> StorageError:
    hint = "free some space" if error.errno in FULL else "check that the place exists and may be written to"
    return StorageError(
        f"could not {doing}", got=f"{error.strerror or error}: {error.filename or ''}".rstrip(": "), hint=hint
    )


__all__ = ["RegistryError", "translated", "unreachable", "without_password"]
