"""Sizes as people read them."""

_UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def size_text(size_bytes: int) -> str:
    """Return a size in the largest unit that it fills: "1 byte", "512 bytes", "1.5 KiB"."""
    for unit_bytes, unit in _UNITS:
        if size_bytes >= unit_bytes:
            return f"{size_bytes / unit_bytes:.1f} {unit}"
    return "1 byte" if size_bytes == 1 else f"{size_bytes} bytes"
