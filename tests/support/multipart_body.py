"""Bodies of multipart/form-data, put together by hand as a client does it (RFC 7578)."""

from collections.abc import Iterable

BOUNDARY = b"------------------------d74496d66958873e"  # as curl makes them
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY.decode()}"


def part(disposition: str | bytes, data: bytes, *headers: str) -> bytes:
    """Return one part; `disposition` is what follows `form-data; `."""
    raw = disposition.encode() if isinstance(disposition, str) else disposition
    lines = [b"Content-Disposition: form-data; " + raw, *(header.encode() for header in headers)]
    return b"\r\n".join([b"--" + BOUNDARY, *lines, b"", data, b""])


def body_of(parts: Iterable[bytes]) -> bytes:
    """Return the whole body."""
    return b"".join([*parts, b"--" + BOUNDARY + b"--\r\n"])


def form_with_file(subject: str, filename: str, data: bytes) -> bytes:
    """Return what `curl -F subject=… -F file=@…` sends."""
    return body_of(
        [
            part('name="subject"', subject.encode()),
            part(f'name="file"; filename="{filename}"', data, "Content-Type: application/octet-stream"),
        ]
    )
