"""The files that TLS is made of: kept while they stay as they are, and named when they are wrong."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app.domain.relay import TlsFiles
from app.net.errors import TlsFilesUnusable
from app.net.tls import client_context, peer_certificate
from tests.support.certificates import Authority, openssl

MakeFiles = Callable[[Path, Authority], TlsFiles]


@pytest.fixture
def bundle(authority: Authority, tmp_path: Path) -> Path:
    """A CA file of the test's own."""
    return Path(shutil.copy(authority.bundle, tmp_path))


def test_a_context_is_kept(bundle: Path) -> None:
    """Connections over the same files share what was read of them."""
    files = TlsFiles(ca=str(bundle))
    assert client_context(files) is client_context(files)


def test_changed_files_are_read_again(bundle: Path) -> None:
    """A renewed certificate works without a restart."""
    before = client_context(TlsFiles(ca=str(bundle)))
    os.utime(bundle, (0, 0))
    assert client_context(TlsFiles(ca=str(bundle))) is not before


def test_another_store_of_the_machine_is_read(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without files of a relay's own, SSL_CERT_FILE counts as it is now."""
    before = client_context()
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    assert client_context() is not before


def _missing(folder: Path, _: Authority) -> TlsFiles:
    return TlsFiles(ca=str(folder / "nowhere.pem"))


def _no_certificate(folder: Path, _: Authority) -> TlsFiles:
    (folder / "hosts").write_text("127.0.0.1 localhost\n")
    return TlsFiles(ca=str(folder / "hosts"))


def _not_even_text(folder: Path, _: Authority) -> TlsFiles:
    (folder / "noise").write_bytes(b"\xff\x00" * 100)
    return TlsFiles(ca=str(folder / "noise"))


def _no_key(_: Path, authority: Authority) -> TlsFiles:
    return TlsFiles(certificate=str(authority.certificate_files()[0]))


def _another_key(_: Path, authority: Authority) -> TlsFiles:
    certificate, _key = authority.certificate_files()
    return TlsFiles(certificate=str(certificate), key=str(authority.certificate_files(name="DNS:other.test")[1]))


def _key_with_a_password(folder: Path, authority: Authority) -> TlsFiles:
    certificate, key = authority.certificate_files()
    encrypted = folder / "encrypted.key"
    openssl("pkcs8", "-topk8", "-in", str(key), "-out", str(encrypted), "-passout", "pass:secret")
    return TlsFiles(certificate=str(certificate), key=str(encrypted))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_missing, "ca_file: .*nowhere.pem cannot be read .No such file"),
        (_no_certificate, "ca_file: .*hosts holds no certificate"),
        (_not_even_text, "ca_file: .*noise holds no certificate"),
        (_no_key, "client_certificate: .* are no pair"),
        (_another_key, "client_key: .*other.* are no pair"),
        (_key_with_a_password, "its key without a password"),
    ],
)
def test_useless_files_are_named(make: MakeFiles, said: str, authority: Authority, tmp_path: Path) -> None:
    """The fault says which file is wrong and what to put there; nobody is asked for a password."""
    with pytest.raises(TlsFilesUnusable, match=said):
        client_context(make(tmp_path, authority))


def test_the_subject_is_one_line() -> None:
    """What a certificate says of its owner cannot play tricks on a terminal; it may also say nothing."""
    end = {"notAfter": "Jan  5 09:34:43 2030 GMT"}
    subject = ((("commonName", "mx\x1b[2J"),), (("organizationName", "Example"),), (("serialNumber", "7"),))
    assert peer_certificate({"subject": subject, **end}).subject == "CN=mx [2J, O=Example, serialNumber=7"
    assert peer_certificate(end).subject == ""
