"""Tags in one line, `env:prod,role:db`, as Zabbix and Datadog write them."""

MOST_TAGS = 100  # of one alert; more than any tool gives, and few enough to compare


def labels_of(tags: str) -> dict[str, str]:
    """Return the tags as labels. A name that comes again keeps its values in order; a tag without a value has "".

    Only the first `MOST_TAGS` count.
    """
    values: dict[str, dict[str, None]] = {}
    for tag in tags.split(",", MOST_TAGS)[:MOST_TAGS]:
        name, _, value = tag.strip().partition(":")
        if name:
            values.setdefault(name, {})[value] = None
    return {name: ",".join(several) for name, several in values.items()}
