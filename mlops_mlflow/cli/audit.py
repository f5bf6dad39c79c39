"""``mlops audit``: whether the ledger and the registry can be believed."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_mlflow.cli.desk import Whole, check_model, model_of
from mlops_mlflow.core.errors import StorageError

if TYPE_CHECKING:
    from mlops_mlflow.governance.shelf import Registry
    from mlops_mlflow.governance.signing import Anchor

FILE = click.Path(path_type=Path, dir_okay=False)


@dataclass(frozen=True)
class Reach:
    """What is audited.

    Attributes:
        registry: Where the ledger is.
        registered: Names of all registered models.
    """

    registry: Registry
    registered: tuple[str, ...] = ()


def _open(given: Reach | None, *, names: bool = False) -> Reach:
    from mlops_mlflow.governance.audit import registered_models
    from mlops_mlflow.governance.opening import open_registry
    from mlops_mlflow.tracking.tracker import open_tracker

    if given is not None:
        return given
    tracker = open_tracker(None, create=False)
    return Reach(open_registry(tracker.uri), registered_models(tracker) if names else ())


@click.group()
def audit() -> None:
    """Verify, anchor and export the ledger of registry stage transitions.

    \b
    mlops audit verify                                 is everything as the ledger says?
    mlops audit anchor /mnt/elsewhere/anchors.jsonl    sign its end, outside of the database
    mlops audit export ledger.jsonl                    for whoever keeps logs
    """


@audit.command()
@click.argument("use_case", default="")
@click.option("--anchor", "file", type=FILE, help="Signed heads that were kept outside of the database.")
@click.option("--public-key", type=FILE, help="Of whoever signed them.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
@click.pass_obj
def verify(given: Reach | None, use_case: str, file: Path | None, public_key: Path | None, as_json: bool) -> None:
    """Follow the ledger from its first record, and hold the registry against it.

    Of USE_CASE, or of all models when left out. Ends with 1 where something was changed or cannot be explained.

    \b
    mlops audit verify
    mlops audit verify --anchor /mnt/elsewhere/anchors.jsonl --public-key audit.pem.pub
    """
    from mlops_mlflow.governance.audit import told
    from mlops_mlflow.governance.audit import verify as verified
    from mlops_mlflow.governance.signing import check_key, read_anchors
    from mlops_mlflow.governance.signing import public_key as read_key

    if (file is None) != (public_key is None):
        raise click.UsageError("--anchor and --public-key belong together: an anchor is worth as much as its signature")
    anchors: tuple[Anchor, ...] = ()
    if file is not None and public_key is not None:
        key, anchors = read_key(public_key), read_anchors(file)
        check_key(anchors, key, file)
    reach = _open(given, names=True)
    model = model_of(use_case) if use_case else ""
    if model and model not in reach.registered:
        check_model(reach.registry, model)
    report = verified(reach.registry, model=model, registered=reach.registered, anchors=anchors)
    click.echo(json.dumps(report.to_plain()) if as_json else told(report))
    if report.found_something:
        raise click.exceptions.Exit(1)


@audit.command()
@click.argument("file", type=FILE)
@click.option("--replaces", type=FILE, help="The private key that is replaced from now on; it signs a last time.")
@click.pass_obj
def anchor(given: Reach | None, file: Path, replaces: Path | None) -> None:
    """Verify the ledger, and write its signed head into FILE, behind those that are there.

    MLOPS_AUDIT_KEY names the private key. Keep FILE where nobody who can change the database can change it.

    \b
    MLOPS_AUDIT_KEY=audit.pem mlops audit anchor /mnt/elsewhere/anchors.jsonl
    """
    from mlops_mlflow.governance.audit import anchor as anchored
    from mlops_mlflow.governance.signing import VARIABLE, SigningError, short

    if not file.absolute().parent.is_dir():
        raise _no_folder(file)
    key, is_new = os.environ.get(VARIABLE), not file.exists()
    if not key:
        raise SigningError(
            f"{VARIABLE} is not set", expected="the path of a private key", hint="`mlops audit key PATH` makes one"
        )
    made = anchored(_open(given).registry, file, Path(key), replaced=replaces, now=int(time.time() * 1000))
    new = " (a new file)" if is_new else ""
    click.echo(f"anchored R{made.head.sequence} in {file}{new}, signed by {short(made.key)}")


def _no_folder(file: Path) -> StorageError:
    """A folder is not made for a file that belongs outside."""
    return StorageError(
        f"there is no folder {file.parent}",
        expected="a folder that is there, such as one that is mounted",
        hint="mount or make it; a folder made here would hide that the right one is missing",
    )


@audit.command()
@click.argument("path", type=FILE)
def key(path: Path) -> None:
    """Make a private key in PATH, for its owner only, and its public key in PATH.pub.

    \b
    mlops audit key ~/.config/mlops/audit.pem
    """
    from mlops_mlflow.governance.signing import make_key, public_path, short

    made = make_key(path)
    click.echo(f"private key  {path}   (MLOPS_AUDIT_KEY names it; keep it away from the database and from backups)")
    click.echo(f"public key   {public_path(path)}   (for whoever verifies)")
    click.echo(f"key          {short(made)}")


@audit.command()
@click.argument("file", type=FILE, required=False)
@click.option("--model", default="", help="Only records of this registered model.")
@click.option("--after", type=Whole(min=0), default=0, help="Only records after this sequence.")
@click.pass_obj
def export(given: Reach | None, file: Path | None, model: str, after: int) -> None:
    """Write the ledger as lines of JSON, to FILE or to standard output: a line is a record with its hash.

    Nothing is verified; a FILE that is there is replaced once all of it is written.

    \b
    mlops audit export ledger.jsonl
    mlops audit export --after 1204 | jq -c 'select(.action == "refusal")'
    """
    from mlops_mlflow.engines.atomic import replacing
    from mlops_mlflow.governance.audit import export as lines

    registry = _open(given).registry
    if model:
        check_model(registry, model)
    if file is not None and not file.absolute().parent.is_dir():
        raise _no_folder(file)
    found = lines(registry, model=model, after=after)
    if file is None:
        out = sys.stdout.buffer
        with contextlib.suppress(BrokenPipeError):  # whoever reads has seen enough
            for line in found:
                out.write(line + b"\n")
            out.flush()
        return
    count = 0
    with replacing(file, "the ledger") as part, part.open("wb") as whole:
        for count, line in enumerate(found, 1):  # noqa: B007  # told below
            whole.write(line + b"\n")
    click.echo(f"{count:,} record{'' if count == 1 else 's'} in {file}", file=sys.stderr)
