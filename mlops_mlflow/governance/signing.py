"""Keys that sign a ledger's head, and the file of signed heads that is kept outside of the database."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from mlops_mlflow.core.errors import MlopsError, StorageError
from mlops_mlflow.core.ledger.chain import Head

T = TypeVar("T")
VARIABLE = "MLOPS_AUDIT_KEY"
OTHERS = stat.S_IRWXO | stat.S_IWGRP | stat.S_IXGRP
"""Rights that nobody but the owner may have to a private key; its group may read it, as with Kubernetes' secrets."""

_HALVES = {"private": "an Ed25519 private key, PEM (PKCS8) without a password", "public": "an Ed25519 public key, PEM"}
_MAKE = "`mlops audit key PATH` makes both halves: PATH is the private one, PATH.pub the public one"


class SigningError(MlopsError):
    """A key or a file of anchors cannot be used."""


class ForgedError(SigningError):
    """An anchor is not what was signed, or not by whom it should be."""

    exit_code = 1


@dataclass(frozen=True)
class Anchor:
    """A signed head.

    Attributes:
        head: Of the ledger.
        time: When it was signed, milliseconds since 1970.
        place: Where the ledger was, without a password.
        key: Public key of the signer, 64 hexadecimal digits.
        signature: 128 hexadecimal digits.
        previous_key: The key that this one replaces from here on; empty where none is replaced.
        previous_signature: Of the same, by that key.
    """

    head: Head
    time: int
    place: str
    key: str
    signature: str
    previous_key: str = ""
    previous_signature: str = ""

    @property
    def line(self) -> bytes:
        """As one line of JSON."""
        import rfc8785

        signed = {**_payload(self), "signature": self.signature}
        return rfc8785.dumps(signed | ({"previous_signature": self.previous_signature} if self.previous_key else {}))

    @classmethod
    def of_line(cls, line: bytes) -> Anchor:
        """From what ``line`` gave.

        Raises:
            ValueError: It is not such a line.
        """
        found = json.loads(line)
        if not isinstance(found, dict):
            raise ValueError("not an anchor")
        whole = [name for name in ("sequence", "time") if type(found.get(name)) is not int]
        words = [name for name in ("hash", "place", "key", "signature") if type(found.get(name)) is not str]
        if missing := [*whole, *words]:
            raise ValueError(f"{missing[0]} is missing")
        rest = [str(found.get(name, "")) for name in ("previous_key", "previous_signature")]
        head = Head(found["sequence"], found["hash"])
        return cls(head, found["time"], found["place"], found["key"], found["signature"], rest[0], rest[1])


def make_key(path: Path) -> str:
    """Make a private key, and its public key beside it.

    Args:
        path: Of the private key; that of the public one has ``.pub`` behind it.

    Returns:
        The public key, 64 hexadecimal digits.

    Raises:
        StorageError: There is a file already, or the place refuses one.
    """
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    beside = public_path(path)
    for one in (path, beside):
        if one.exists():
            raise _exists(one)
    _create(path, private, 0o600)
    try:
        _create(beside, public, 0o644)
    except BaseException:
        path.unlink()
        raise
    return _id(key.public_key())


def public_path(path: Path) -> Path:
    """Where the public key of a private one is put."""
    return path.with_name(f"{path.name}.pub")


def private_key(path: Path) -> Ed25519PrivateKey:
    """Read a private key that nobody else can read.

    Raises:
        SigningError: It is not there, not private, or not such a key.
    """
    content = _read(path, "the private key", "make one with `mlops audit key PATH`")
    key = _loaded(path, "private", lambda: serialization.load_pem_private_key(content, None))
    if not isinstance(key, Ed25519PrivateKey):
        raise _other_kind(path, "private", key)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & OTHERS:
        raise SigningError(
            f"the private key {path} is open to others",
            expected="mode 0600, or 0640",
            got=f"{mode:04o}",
            hint=f"make a new key if others could have read it; else `chmod 600 {path}`",
        )
    return key


def public_key(path: Path) -> str:
    """Read a public key: 64 hexadecimal digits.

    Raises:
        SigningError: It is not there, or not such a key.
    """
    content = _read(path, "the public key", "it is beside the private key, and its name ends with .pub")
    key = _loaded(path, "public", lambda: serialization.load_pem_public_key(content))
    if not isinstance(key, Ed25519PublicKey):
        raise _other_kind(path, "public", key)
    return _id(key)


def key_id(key: Ed25519PrivateKey) -> str:
    """By which anchors name a key: its public half."""
    return _id(key.public_key())


def sign(
    head: Head, time: int, place: str, key: Ed25519PrivateKey, *, replaced: Ed25519PrivateKey | None = None
) -> Anchor:
    """Sign a head; with the key that is replaced, too, where there is one."""
    old = key_id(replaced) if replaced else ""
    payload = _bytes(Anchor(head, time, place, key_id(key), "", old))
    return Anchor(
        head,
        time,
        place,
        key_id(key),
        key.sign(payload).hex(),
        old,
        replaced.sign(payload).hex() if replaced else "",
    )


def read_anchors(path: Path) -> tuple[Anchor, ...]:
    """The anchors of a file, of which every signature is right, and each by the key of the one before or its successor.

    Raises:
        SigningError: The file cannot be read.
        ForgedError: A signature is wrong, or a key came without the word of the one before.
    """
    content = _read(path, "the file of anchors", "make it with `mlops audit anchor FILE`")
    if content and not content.endswith(b"\n"):
        raise _bad_line(path, content.count(b"\n") + 1, "it does not end: it was cut off")
    found: list[Anchor] = []
    for number, line in enumerate(content.splitlines(), 1):
        try:
            one = Anchor.of_line(line)
        except (ValueError, RecursionError) as error:
            raise _bad_line(path, number, str(error)) from error
        if problem := _problem(one, found):
            raise ForgedError(
                f"line {number} of {path} is not to be trusted: {problem}",
                expected="anchors as `mlops audit anchor` signed them",
                hint="fetch the file from where nobody could change it",
            )
        found.append(one)
    return tuple(found)


def check_key(anchors: Sequence[Anchor], key: str, path: Path) -> None:
    """Refuse anchors that were signed by somebody else.

    Raises:
        ForgedError: Neither is the key theirs, nor did one of theirs replace it or was replaced by it.
    """
    theirs = list(dict.fromkeys(one.key for one in anchors))
    if key not in theirs:
        raise ForgedError(
            f"{path} was not signed by this key",
            expected=f"key {short(key)}",
            got=f"key {', '.join(map(short, theirs)) or 'none: the file is empty'}",
            hint="take the public key of whoever anchors this ledger, or find out who wrote this file",
        )


def append(path: Path, anchor: Anchor) -> None:
    """Write an anchor behind the others, down to the disk.

    Raises:
        StorageError: The file refuses it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        with os.fdopen(descriptor, "ab", buffering=0) as file:
            file.write(anchor.line + b"\n")
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageError(f"the anchor could not be written to {path}: {error.strerror}") from error


def short(key: str) -> str:
    """A key as people compare it."""
    return key[:16]


def _problem(one: Anchor, before: Sequence[Anchor]) -> str:
    """Why an anchor is not to be trusted; empty where it is."""
    if not _is_signed(one.key, one.signature, one):
        return "its signature is wrong"
    if one.previous_key and not _is_signed(one.previous_key, one.previous_signature, one):
        return "the signature of the replaced key is wrong"
    if not before:
        return "it replaces a key of which there is no anchor" if one.previous_key else ""
    last = before[-1]
    if one.previous_key not in ("", last.key) or (one.key != last.key and not one.previous_key):
        return f"its key {short(one.key)} was not introduced by the one before, {short(last.key)}"
    if one.head.sequence < last.head.sequence:
        return f"it is of R{one.head.sequence}, and follows R{last.head.sequence}"
    return ""


def _is_signed(key: str, signature: str, one: Anchor) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), _bytes(one))
    except (InvalidSignature, ValueError):
        return False
    return True


def _payload(one: Anchor) -> Mapping[str, Any]:
    """What is signed."""
    told = {"hash": one.head.hash, "key": one.key, "place": one.place, "sequence": one.head.sequence, "time": one.time}
    return told | ({"previous_key": one.previous_key} if one.previous_key else {})


def _bytes(one: Anchor) -> bytes:
    import rfc8785

    return rfc8785.dumps({**_payload(one), "kind": "mlops anchor 1"})


def _id(key: Ed25519PublicKey) -> str:
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()


def _read(path: Path, what: str, hint: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise SigningError(f"there is no file {path}", expected=what, hint=hint) from error
    except OSError as error:
        raise SigningError(
            f"{what} {path} cannot be read", got=error.strerror or "", hint="let this user read it"
        ) from error


def _loaded(path: Path, half: str, load: Callable[[], T]) -> T:
    try:
        return load()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # What the library says may quote the file.
        raise SigningError(
            f"{path} is not a {half} key", expected=_HALVES[half], got="something else", hint=_MAKE
        ) from error


def _other_kind(path: Path, half: str, key: object) -> SigningError:
    kind = type(key).__name__.removesuffix("PrivateKey").removesuffix("PublicKey").lstrip("_")
    return SigningError(f"{path} is a key of another kind", expected=_HALVES[half], got=kind, hint=_MAKE)


def _create(path: Path, content: bytes, mode: int) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except FileExistsError as error:
        raise _exists(path) from error
    except OSError as error:
        raise StorageError(f"the key could not be written to {path}: {error.strerror}") from error


def _exists(path: Path) -> StorageError:
    return StorageError(
        f"{path} exists already", expected="a new file: a key is never overwritten", hint="choose another name"
    )


def _bad_line(path: Path, number: int, why: str) -> SigningError:
    return SigningError(
        f"line {number} of {path} is not an anchor",
        expected="one signed head a line, as `mlops audit anchor` writes it",
        got=why,
        hint="fetch the file from where nobody could change it; only a last line that was cut off may be deleted",
    )
