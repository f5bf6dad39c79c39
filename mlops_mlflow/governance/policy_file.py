"""The organisation's policy, from the file that the environment names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mlops_mlflow.core.policy.document import DEFAULT, Policy
from mlops_mlflow.core.policy.parse import PolicyError, parse_policy
from mlops_mlflow.engines.text import read_text

VARIABLE = "MLOPS_POLICY"
DOING = f"set {VARIABLE} to the policy file of your organisation, or unset it for the default policy"


def load_policy(environment: Mapping[str, str]) -> Policy:
    """The policy that holds: that of the file which ``MLOPS_POLICY`` names, or the default one where it names none.

    A file that is named and cannot be read is an error, and so is a variable that is set and empty: falling back to the
    default would loosen the rules.

    Args:
        environment: Of the process.

    Raises:
        PolicyError: The file is not there, not readable, or says something that cannot be; each problem at its line.
    """
    named = environment.get(VARIABLE)
    if named is None:
        return DEFAULT
    if not named.strip():
        expected = "the path of a policy file"
        raise PolicyError(f"{VARIABLE} is set and empty", expected=expected, got="nothing", hint=DOING)
    return read_policy(Path(named))


def read_policy(file: Path) -> Policy:
    """The policy that a file holds.

    Raises:
        PolicyError: The file is not there, not readable, or says something that cannot be; each problem at its line.
    """
    return parse_policy(_read(file), file=str(file))


def _read(file: Path) -> str:
    try:
        return read_text(file, f"the policy {file}", PolicyError)
    except FileNotFoundError as error:
        raise PolicyError(
            f"there is no policy at {file}", expected=f"the file that {VARIABLE} names", hint=DOING
        ) from error
    except IsADirectoryError as error:
        raise PolicyError(f"{file} is a folder", expected="a policy file, such as policy.yaml", hint=DOING) from error
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        why = getattr(error, "strerror", None) or str(error)
        raise PolicyError(
            f"cannot read the policy {str(file)!r}: {why}", hint=f"look at its permissions, or {DOING}"
        ) from error
