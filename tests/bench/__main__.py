"""`make bench`: measures the running daemon beside a peer in the same run, and prints a table.

usage: python -m tests.bench [NAME ...]      (see BENCHES; all without a name)
"""

import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import backlog, cli, delivery, formats, intake, mailbox, slow_link, storm
from tests.bench.figures import Figure

BENCHES = {
    "intake": intake.single_posts,
    "batches": intake.batches,
    "delivery": delivery.end_to_end,
    "formats": formats.recognising,
    "cli": cli.calls,
    "slow_link": slow_link.one_connection,
    "mailbox": mailbox.small_mails,
    "storm": storm.behind_a_dead_relay,
    "backlog": backlog.million_queued,
}


def machine() -> str:
    """Return what was measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    model = models[0] if models else platform.machine()
    cores = os.cpu_count()
    return f"{model}, {cores} cores, Linux {platform.release()}, Python {platform.python_version()}"


def main() -> None:
    """Run the benches that were named, or all."""
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}\n")
    print("| what | measured | aim |\n|---|---|---|")
    for name in sys.argv[1:] or BENCHES:
        for figure in BENCHES[name]():
            print(row(figure), flush=True)


def row(figure: Figure) -> str:
    """Return the figure as a row of a table."""
    return f"| {figure.what} | {figure.measured} | {figure.aim} |"


if __name__ == "__main__":
    main()
