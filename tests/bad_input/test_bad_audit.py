"""Keys, anchors and names that are not what `mlops audit` needs: a message, exit code 2, and nothing changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from desks import Office

from mlops_mlflow.cli.audit import Reach, audit
from mlops_mlflow.core.errors import MlopsError
from mlops_mlflow.governance.signing import make_key

PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
CHECK = ("verify", "--anchor", "anchors.jsonl", "--public-key")


@pytest.fixture
def call(monkeypatch):
    registry = Office().in_production("1").registry

    def call(*arguments, key=None):
        if key is not None:
            monkeypatch.setenv("MLOPS_AUDIT_KEY", key)
        return CliRunner().invoke(audit, arguments, obj=Reach(registry))

    return call


@pytest.fixture
def anchored(call):
    make_key(Path("audit.pem"))
    assert call("anchor", "anchors.jsonl", key="audit.pem").exit_code == 0
    return Path("anchors.jsonl").read_bytes()


def message(done, code=2):
    assert isinstance(done.exception, MlopsError), done.exception
    assert done.exception.exit_code == code
    return str(done.exception)


def written(path, content, mode=0o600):
    Path(path).write_bytes(content)
    Path(path).chmod(mode)
    return path


def encrypted():
    secret = serialization.BestAvailableEncryption(b"geheim")
    return ed25519.Ed25519PrivateKey.generate().private_bytes(PEM, PKCS8, secret)


def of_another_kind():
    plain = serialization.NoEncryption()
    return rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(PEM, PKCS8, plain)


def test_no_key_is_named(call):
    assert "MLOPS_AUDIT_KEY is not set" in message(call("anchor", "anchors.jsonl"))


def test_a_key_that_is_not_there(call):
    said = message(call("anchor", "anchors.jsonl", key="gone.pem"))
    assert "there is no file gone.pem" in said
    assert "mlops audit key" in said


def test_a_key_that_is_a_folder(call):
    Path("folder").mkdir()
    assert "cannot be read" in message(call("anchor", "anchors.jsonl", key="folder"))


def test_a_key_that_anybody_can_read(call):
    make_key(Path("audit.pem"))
    Path("audit.pem").chmod(0o644)
    said = message(call("anchor", "anchors.jsonl", key="audit.pem"))
    assert "open to others" in said
    assert "0644" in said


@pytest.mark.parametrize("content", [b"", b"TOPSECRET", b"\x00\xff", encrypted(), of_another_kind()])
def test_what_is_no_such_key(call, content):
    said = message(call("anchor", "anchors.jsonl", key=written("odd.pem", content)))
    assert "Ed25519 private key" in said
    assert "TOPSECRET" not in said
    assert not Path("anchors.jsonl").exists()


def test_halves_that_were_mixed_up(call, anchored):
    assert "audit.pem.pub is not a private key" in message(call("anchor", "a.jsonl", key="audit.pem.pub"))
    assert "audit.pem is not a public key" in message(call(*CHECK, "audit.pem"))


def test_a_file_that_somebody_else_signed(call, anchored):
    make_key(Path("mine.pem"))
    assert "is signed by another key" in message(call("anchor", "anchors.jsonl", key="mine.pem"))
    assert "was not signed by this key" in message(call(*CHECK, "mine.pem.pub"), code=1)
    done = call("anchor", "anchors.jsonl", "--replaces", "mine.pem", key="mine.pem")
    assert "not signed by the key that is to be replaced" in message(done)
    assert Path("anchors.jsonl").read_bytes() == anchored


def test_a_file_of_anchors_that_is_not_there(call, anchored):
    said = message(call("verify", "--anchor", "gone.jsonl", "--public-key", "audit.pem.pub"))
    assert "there is no file gone.jsonl" in said


def test_an_empty_file_of_anchors(call, anchored):
    Path("anchors.jsonl").write_bytes(b"")
    assert "the file is empty" in message(call(*CHECK, "audit.pem.pub"), code=1)


def test_a_last_line_that_was_cut_off_is_not_written_on(call, anchored):
    Path("anchors.jsonl").write_bytes(anchored + anchored[:40])
    assert "it was cut off" in message(call("anchor", "anchors.jsonl", key="audit.pem"))
    assert Path("anchors.jsonl").read_bytes() == anchored + anchored[:40]


def test_an_anchor_without_a_public_key_and_the_other_way_round(call, anchored):
    for arguments in (("--anchor", "anchors.jsonl"), ("--public-key", "audit.pem.pub")):
        done = call("verify", *arguments)
        assert (done.exit_code, "belong together" in done.stderr) == (2, True)


def test_a_key_is_not_overwritten(call, anchored):
    before = Path("audit.pem").read_bytes()
    assert "exists already" in message(call("key", "audit.pem"))
    assert Path("audit.pem").read_bytes() == before


@pytest.mark.parametrize("name", ["nothing", "<b>'\"", "模型"])
def test_a_model_that_is_not_there(call, name):
    assert f"there is no model {name}" in message(call("verify", name))


def test_a_record_before_the_first(call):
    assert call("export", "--after", "-1").exit_code == 2
