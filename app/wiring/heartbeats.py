"""Builds what watches the heartbeats."""

from app.pipeline.heartbeats import HeartbeatDesk
from app.pipeline.ingest import Ingest, Taker
from app.wiring.ground import Ground


async def heartbeat_desk(ground: Ground, ingest: Ingest) -> HeartbeatDesk:
    """Build the desk, with all that the journal knows; nothing runs yet."""
    desk = HeartbeatDesk(
        ingest=ingest,
        store=ground.journal,
        clock=ground.clock,
        configured=ground.settings.all_heartbeats(),
        left_at=ground.journal.kept_at,
    )
    await desk.load()
    return desk


def door_of(ingest: Ingest, desk: HeartbeatDesk) -> Taker:
    """Return where alerts go in: past the desk if any of them may be signs of life, else by the shorter way."""
    return desk if desk.is_fed else ingest
