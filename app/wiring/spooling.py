"""Builds what takes alerts out of the spool of this machine."""

import socket

from app.intake.sizes import SizeLimits
from app.intake.spool import SpoolWatcher
from app.intake.spool_folder import SpoolFolder
from app.intake.spool_reading import SpoolReader
from app.wiring.access import spool_principal
from app.wiring.ground import Ground
from app.wiring.taking import TakingHalf


def spool_watcher(ground: Ground, taking: TakingHalf) -> SpoolWatcher | None:
    """Return it; none in the sandbox, which must not take the alerts of the real daemon on the same machine."""
    settings = ground.settings
    if settings.sandbox and "spool_dir" not in settings.model_fields_set:
        return None
    http = settings.http
    return SpoolWatcher(
        folder=SpoolFolder(settings.spool_dir),
        reader=SpoolReader(
            principal=spool_principal(settings),
            limits=SizeLimits(http.body_limit, http.attachments_limit),
            host=socket.gethostname(),
        ),
        once=taking.once,
        clock=ground.clock,
    )
