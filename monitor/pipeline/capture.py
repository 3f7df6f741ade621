"""Escalated cases → evidence, as soon as may be: posts vanish (P5)."""

import logging
from datetime import datetime, timedelta

from monitor.domain.errors import CaptureError
from monitor.domain.evidence import Capture, Evidence, EvidenceFile, Grade, Subject
from monitor.domain.ports import Capturer, Vault
from monitor.store.store import Store

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
RETRY = timedelta(minutes=2)
ATTEMPTS = 5
MANIFEST = "manifest.json"
#: What the status page calls it.
PICTURES = "photographs of pages"


def run(
    store: Store, capturer: Capturer, vault: Vault, now: datetime, *, school: str, timezone: str, limit: int = 5
) -> int:
    """Make up to `limit` wanted captures; how many were made.

    A capture that fails, or gets no picture of a page that should be there, is tried again; after five attempts
    what there is of it is kept, with the reason.
    """
    made = 0
    for _ in range(limit):
        with store.transaction() as tx:
            wanted = tx.evidence.claim(now, LEASE)
        if wanted is None:
            break
        made += _capture(store, capturer, vault, wanted, now, school, timezone)
    return made


def _capture(
    store: Store, capturer: Capturer, vault: Vault, wanted: Evidence, now: datetime, school: str, timezone: str
) -> bool:
    with store.reading() as tx:
        stored = tx.items.as_worded(wanted.item_id, wanted.revision)
        subject = Subject(
            school=school,
            timezone=timezone,
            item=stored.item,
            thread=tuple(tx.items.above(stored.item)),
            detected_at=stored.detected_at,
            case_id=wanted.case_id,
        )
    try:
        capture = capturer.capture(subject, now)
    except CaptureError as error:
        _failed(store, wanted, str(error), now)
        return False
    if capture.grade is Grade.FAILED and wanted.attempts < ATTEMPTS:
        _failed(store, wanted, capture.reason, now)
        return False
    _keep(store, vault, wanted, capture, now)
    return True


def _keep(store: Store, vault: Vault, wanted: Evidence, capture: Capture, now: datetime) -> None:
    files = [
        EvidenceFile(name=file.name, media_type=file.media_type, sha256=vault.put(file), size=len(file.body))
        for file in capture.files
    ]
    manifest = next(file.sha256 for file in files if file.name == MANIFEST)
    with store.transaction() as tx:
        tx.evidence.captured(
            wanted.id,
            grade=capture.grade,
            reason=capture.reason,
            captured_at=capture.captured_at,
            files=files,
            manifest_sha256=manifest,
        )
        detail = {"evidence": wanted.id, "grade": capture.grade.value, "manifest": manifest}
        tx.cases.log(wanted.case_id, "automatic", "captured", detail, now)
        if capture.grade is Grade.FAILED:
            message = f"case {wanted.case_id}: {capture.reason}. The record and its card are kept"
            tx.health.problem(PICTURES, message, now)
        elif capture.grade is not Grade.RECORD_ONLY:
            tx.health.cleared(PICTURES, now)


def _failed(store: Store, wanted: Evidence, reason: str, now: datetime) -> None:
    logger.warning("capture %s failed (attempt %s): %s", wanted.id, wanted.attempts, reason)
    with store.transaction() as tx:
        if wanted.attempts < ATTEMPTS:
            tx.evidence.failed(wanted.id, reason, next_attempt_at=now + RETRY * wanted.attempts)
            tx.health.problem(PICTURES, f"case {wanted.case_id}: {reason}. It is tried again", now)
            return
        tx.evidence.captured(
            wanted.id, grade=Grade.FAILED, reason=reason, captured_at=now, files=(), manifest_sha256=None
        )
        tx.health.cleared(PICTURES, now)
        tx.health.problem(f"evidence of case {wanted.case_id}", f"no evidence could be kept: {reason}", now)
        tx.cases.log(wanted.case_id, "automatic", "capture_failed", {"evidence": wanted.id}, now)
