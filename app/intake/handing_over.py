"""How every door of the intake hands over to the pipeline what it has read, and logs it."""

from collections.abc import Sequence

from structlog.typing import FilteringBoundLogger

from app.domain.feedback import NO_FEEDBACK, Feedback
from app.domain.ids import format_id
from app.domain.receipt import Claim, Receipt
from app.intake.incoming import Reading
from app.pipeline.ingest import Submission, Taker


async def hand_over(
    once: Taker,
    reading: Reading,
    claims: Sequence[Claim],
    log: FilteringBoundLogger,
    *,
    door: str,
    feedback: Feedback = NO_FEEDBACK,
    **told: object,
) -> tuple[Receipt, list[str]]:
    """Return the receipt once the alerts are durable, and its ids as people see them. Raises what `once` raises.

    `door` and `told` go into the log, for each alert. What was answered from a receipt is logged again, under the ids
    that it has. `feedback` is taken in the same transaction.
    """
    submission = Submission(
        alerts=reading.alerts, warnings=reading.warnings, is_batch=reading.is_batch, feedback=feedback
    )
    receipt = await once.take(submission, claims)
    names = [format_id(number) for number in receipt.ids]
    for alert, name in zip(reading.alerts, names, strict=False):
        log.info("alert_accepted", alert=name, severity=alert.severity, source=alert.source, door=door, **told)
    return receipt, names
