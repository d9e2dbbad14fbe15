"""The collector of message text when there is no room for the message."""

from app.smtpd.message import MessageCollector


def test_a_message_without_room_is_read_on_and_not_kept() -> None:
    """Its end is found all the same, so that the client can be told."""
    collector = MessageCollector(10_000, lambda size_bytes: size_bytes < 2_000)
    for _ in range(5):
        assert collector.feed(b"x" * 998 + b"\r\n") is None
    assert collector.feed(b".\r\nNOOP\r\n") == b"NOOP\r\n"
    assert (collector.crowded_out, collector.too_large) == (True, False)
    assert len(collector.message()) < 10


def test_a_message_that_is_too_large_asks_for_no_room() -> None:
    """Too large is what it is told: another time would not help it."""
    asked: list[int] = []
    collector = MessageCollector(1_000, lambda size_bytes: not asked.append(size_bytes))
    collector.feed(b"x" * 2_000)
    collector.feed(b"x" * 2_000)
    assert collector.too_large
    assert asked == []
