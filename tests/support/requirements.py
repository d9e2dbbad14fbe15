"""What a test needs of the machine. Where it is missing the test is skipped, or fails if skips are forbidden."""

import os
import shutil
from typing import NoReturn

import pytest

MAY_SKIP = "TESTS_MAY_SKIP"  # .ci/run sets it to "no", having installed all that tests need
SYSTEM_PROGRAMS = "/usr/sbin:/sbin"  # where Debian keeps servers; not in the PATH of ordinary users


def require(program: str) -> str:
    """Return the path of `program`."""
    path = shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:{SYSTEM_PROGRAMS}")
    return path or missing(f"{program} is not installed")


def require_root() -> None:
    """Go on only as root."""
    if os.geteuid() != 0:
        missing("this needs root")


def missing(reason: str) -> NoReturn:
    """Skip the test for `reason`; fail it where nothing may be skipped."""
    if os.environ.get(MAY_SKIP) == "no":
        pytest.fail(f"{reason}, and {MAY_SKIP}=no", pytrace=False)
    pytest.skip(reason)
