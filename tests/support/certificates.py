"""A certificate authority of the tests' own, made with the openssl program.

A conftest.py imports the session fixture `authority`; others call make_authority().
"""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.requirements import require

NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
DATES = {
    "now": ("20200101000000Z", "20991231235959Z"),
    "past": ("20200101000000Z", "20200102000000Z"),
    "future": ("20980101000000Z", "20991231235959Z"),
}
# `openssl ca` rather than `openssl x509`, which cannot set the dates before OpenSSL 3.4.
CONFIG = """
[ca]
default_ca = own
[own]
database = {folder}/index.txt
new_certs_dir = {folder}
certificate = {folder}/ca.pem
private_key = {folder}/ca.key
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
[any]
commonName = supplied
"""


@dataclass(frozen=True)
class Authority:
    """Issues certificates; point SSL_CERT_FILE to `bundle` to trust them."""

    folder: Path

    @property
    def bundle(self) -> Path:
        """The authority's own certificate, PEM."""
        return self.folder / "ca.pem"

    def server_context(
        self, *, name: str = "DNS:localhost,IP:127.0.0.1", valid: str = "now", self_signed: bool = False
    ) -> ssl.SSLContext:
        """Return the context of a server with the certificate that `certificate_files` describes."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.certificate_files(name=name, valid=valid, self_signed=self_signed))
        return context

    def certificate_files(
        self, *, name: str = "DNS:localhost,IP:127.0.0.1", valid: str = "now", self_signed: bool = False
    ) -> tuple[Path, Path]:
        """Return a certificate for `name` and its key, PEM both; `valid` is now, past or future."""
        stem = f"{name}-{valid}-{self_signed}".replace(":", "_").replace(",", "_").replace(".", "_")
        certificate, key = self.folder / f"{stem}.pem", self.folder / f"{stem}.key"
        if not certificate.exists():
            self._issue(certificate, key, name=name, valid=valid, self_signed=self_signed)
        return certificate, key

    def _issue(self, certificate: Path, key: Path, *, name: str, valid: str, self_signed: bool) -> None:
        request = certificate.with_suffix(".csr")
        extensions = certificate.with_suffix(".ext")
        extensions.write_text(f"subjectAltName={name}\nbasicConstraints=CA:FALSE\n")
        openssl("req", *NEW_KEY, "-keyout", str(key), "-out", str(request), "-subj", "/CN=mail test")
        start, end = DATES[valid]
        signer = ["-selfsign", "-keyfile", str(key)] if self_signed else []
        openssl("ca", "-batch", "-notext", "-config", str(self.folder / "ca.cnf"), *signer,
                 "-startdate", start, "-enddate", end, "-extfile", str(extensions),
                 "-in", str(request), "-out", str(certificate))  # fmt: skip


def make_authority(folder: Path) -> Authority:
    """Return an authority that keeps its files in `folder`."""
    (folder / "index.txt").touch()
    (folder / "ca.cnf").write_text(CONFIG.format(folder=folder))
    openssl("req", "-x509", *NEW_KEY, "-days", "2", "-subj", "/O=Test Authority/CN=test CA",
             "-addext", "keyUsage=keyCertSign",
             "-keyout", str(folder / "ca.key"), "-out", str(folder / "ca.pem"))  # fmt: skip
    return Authority(folder)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority for the whole run."""
    require("openssl")
    return make_authority(tmp_path_factory.mktemp("authority"))


def openssl(*arguments: str) -> None:
    """Run the program; it must succeed."""
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
