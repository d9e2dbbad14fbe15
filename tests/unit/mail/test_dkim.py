"""DKIM signatures, held against another implementation."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from app.domain.alert import Alert, Severity
from app.domain.attachment import Attachment
from app.domain.errors import ConfigurationError
from app.mail.compose import Composer
from app.mail.dkim import DkimSigner, dkim_public_record
from tests.support.dkim_oracle import verifies
from tests.support.mails import MADE_AT, any_text, queued_mail, read_mail


def pem_of(key: RSAPrivateKey | Ed25519PrivateKey, encryption: KeySerializationEncryption | None = None) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


RSA = generate_rsa(65537, 2048)
KEYS = {"rsa": pem_of(RSA), "ed25519": pem_of(Ed25519PrivateKey.generate())}
SIGNERS = {name: DkimSigner("example.org", name, pem) for name, pem in KEYS.items()}
RECORDS = {f"{name}._domainkey.example.org": dkim_public_record(pem) for name, pem in KEYS.items()}
both_keys = pytest.mark.parametrize("key", KEYS)
attachments = st.builds(
    lambda name, data: Attachment(name=name, content_type="text/plain", size_bytes=len(data), data=data),
    any_text,
    st.binary(max_size=100),
)
running_text = st.text(alphabet="a. \t\n=-é磁")


def signed(key: str, alert: Alert) -> bytes:
    return Composer(mac_key=b"k" * 32, signer=SIGNERS[key]).render(queued_mail(alert))


@both_keys
@given(
    subject=any_text,
    content=running_text,
    identity=st.sampled_from(["", "web1"]),
    files=st.lists(attachments, max_size=2),
)
def test_any_mail_verifies(key: str, subject: str, content: str, identity: str, files: list[Attachment]) -> None:
    """Whatever an alert holds, its mail verifies, in a thread or not, with attachments or without."""
    octets = signed(key, Alert(subject=subject, content=content, key=identity, attachments=tuple(files)))
    read_mail(octets)
    assert verifies(octets, RECORDS)


@both_keys
def test_a_changed_octet_does_not_verify(key: str) -> None:
    """Wherever the mail says something else than what was signed, the signature breaks."""
    octets = signed(key, Alert(subject="disk full", content="93 % of /var\n"))
    for before, after in (
        (b"Subject: [web1] disk full", b"Subject: [web1] disk fine"),
        (b"93 % of /var", b"13 % of /var"),
        (b"To: ops@", b"To: oops@"),
        (b"s=" + key.encode(), b"s=other"),
        (b"t=1772600767", b"t=1772600768"),
    ):
        assert before in octets
        assert not verifies(octets.replace(before, after), RECORDS)


@pytest.mark.parametrize("name", ["From", "To", "Subject", "Date", "Content-Type", "In-Reply-To"])
def test_no_second_header_can_be_added(name: str) -> None:
    """RFC 6376 section 5.4.2: what a reader might show instead of ours breaks the signature, above ours or below."""
    octets = signed("ed25519", Alert(subject="disk full"))
    forged = f"{name}: forged\r\n".encode()
    assert not verifies(forged + octets, RECORDS)
    assert not verifies(octets.replace(b"MIME-Version", forged + b"MIME-Version", 1), RECORDS)


@both_keys
def test_white_space_that_a_relay_changes_does_no_harm(key: str) -> None:
    """Refolded headers, blanks at line ends and empty lines at the end keep the relaxed form."""
    octets = signed(key, Alert(subject="disk full", content="93 % of /var\n"))
    relayed = octets.replace(b"Subject: [web1] disk", b"SUBJECT:  [web1]\r\n\tdisk").replace(b"/var\r\n", b"/var \r\n")
    assert relayed != octets
    assert verifies(relayed + b"\r\n\r\n", RECORDS)


@both_keys
def test_the_same_mail_has_the_same_signature(key: str) -> None:
    """Every attempt sends the same octets: the time in the signature is that of the envelope."""
    octets = signed(key, Alert(subject="s"))
    assert octets == signed(key, Alert(subject="s"))
    assert f"t={int(MADE_AT.timestamp())};".encode() in octets


def test_the_signature_stands_in_front_in_short_lines() -> None:
    """The rest of the mail is what it was, and no line of the signature has more than 76 columns."""
    plain = Composer(mac_key=b"k" * 32).render(queued_mail(Alert(subject="s", severity=Severity.CRITICAL)))
    octets = signed("rsa", Alert(subject="s", severity=Severity.CRITICAL))
    field = octets.removesuffix(plain)
    assert field != octets
    assert field.startswith(b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n")
    assert max(map(len, field.split(b"\r\n"))) <= 76


def test_what_goes_into_the_mail_is_signed() -> None:
    """Every header is signed but those that relays change or that only steer them."""
    octets = signed("ed25519", Alert(subject="s", key="k"))
    mail = read_mail(octets)
    names = re.sub(r"\s", "", re.search(r"h=([^;]*);", mail["DKIM-Signature"]).group(1)).lower().split(":")  # type: ignore[union-attr]  # it is there
    unsigned = {name.lower() for name in mail} - set(names)
    assert unsigned == {"dkim-signature", "message-id", "list-id", "x-auto-response-suppress"}


def test_a_large_mail_verifies() -> None:
    """Several blocks of body, most of it base64."""
    data = bytes(range(256)) * 4096
    file = Attachment(name="a", content_type="a/b", size_bytes=len(data), data=data)
    assert verifies(signed("rsa", Alert(subject="s", content="a  b\n" * 9999, attachments=(file,))), RECORDS)


def test_the_record_of_an_ed25519_key_holds_the_bare_key() -> None:
    """RFC 8463 appendix A.1: this private key has this record."""
    private = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    record = dkim_public_record(pem_of(Ed25519PrivateKey.from_private_bytes(private)))
    assert record == "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="


def test_an_rsa_key_in_the_older_form_is_read() -> None:
    """What `openssl genrsa` has written for decades works too."""
    older = RSA.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    assert dkim_public_record(older) == RECORDS["rsa._domainkey.example.org"]
    assert RECORDS["rsa._domainkey.example.org"].startswith("v=DKIM1; k=rsa; p=MIIB")


UNUSABLE = {
    "no key": (b"hunter2", "no private key in PEM"),
    "empty": (b"", "no private key in PEM"),
    "encrypted": (pem_of(RSA, BestAvailableEncryption(b"hunter2")), "no private key in PEM without a passphrase"),
    "too short": (pem_of(generate_rsa(65537, 1024)), "a key of 1024 bits"),
    "elliptic curve": (
        generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "RSA and Ed25519 only",
    ),
}


@pytest.mark.parametrize(("pem", "reason"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_key_that_cannot_sign_stops_the_start_with_its_remedy(pem: bytes, reason: str) -> None:
    """The message says what is wrong and how to make a key, and nothing of what the file holds."""
    with pytest.raises(ConfigurationError, match=rf"dkim\.key_file: .*{reason}.*openssl genpkey") as raised:
        DkimSigner("example.org", "s", pem)
    assert "hunter2" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("name", ["", "a b", "a;b", "exämple.org", "a\r\nBcc: x", "a..b", "x" * 64, "a.\n"])
def test_a_name_that_the_dns_cannot_hold_stops_the_start(name: str) -> None:
    """Neither domain nor selector can break out of the signature."""
    for domain, selector, named in ((name, "s", "domain"), ("example.org", name, "selector")):
        with pytest.raises(ConfigurationError, match=rf"dkim\.{named}: "):
            DkimSigner(domain, selector, KEYS["ed25519"])


def test_another_mail_has_another_signature() -> None:
    """The signature depends on the time too."""
    signer = SIGNERS["ed25519"]
    first, later = (signer.sign(b"From: a\r\n\r\nb\r\n", at=datetime(2026, 1, day, tzinfo=UTC)) for day in (1, 2))
    assert first != later
    assert verifies(first, RECORDS)
    assert verifies(later, RECORDS)


def test_the_private_key_does_not_show() -> None:
    """A repr in a log tells no secret."""
    assert "PRIVATE" not in repr(SIGNERS["rsa"]) + repr(vars(SIGNERS["rsa"]))


def test_a_reduced_mail_is_signed_anew() -> None:
    """Without its attachments a mail is another message, and verifies as such."""
    mail = queued_mail(
        Alert(subject="s", attachments=(Attachment(name="a", content_type="a/b", size_bytes=1, data=b"x"),))
    )
    reduced = replace(mail, envelope=replace(mail.envelope, without_attachments=True))
    assert verifies(Composer(mac_key=b"k", signer=SIGNERS["rsa"]).render(reduced), RECORDS)
