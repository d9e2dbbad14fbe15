"""Tags in one line become labels."""

from app.intake.tags import MOST_TAGS, labels_of


def test_tags_become_labels() -> None:
    """One without a value is there all the same, and empty ones are not."""
    assert labels_of("env:prod, role:db:main,monitor,,:x") == {"env": "prod", "role": "db:main", "monitor": ""}


def test_name_that_comes_again_keeps_its_values() -> None:
    """Each once, in order."""
    assert labels_of("service:b,service:a,service:b") == {"service": "b,a"}


def test_only_so_many_count() -> None:
    """A line of a megabyte is no list of tags."""
    assert len(labels_of(",".join(f"t{number}:x" for number in range(MOST_TAGS + 50)))) == MOST_TAGS
