"""What an author deleted → given up, as the platforms' terms ask; a case that is more keeps it, and says why.

Terms (read 2026-11-21): X 24 hours, https://developer.x.com/en/developer-terms/policy; Reddit 48 hours,
https://support.reddithelp.com/hc/en-us/articles/16160319875092-Reddit-Data-API-Wiki; YouTube 30 days,
https://developers.google.com/youtube/terms/developer-policies (III.E.4). The rule book says when, for all of them.
"""

from datetime import datetime

from monitor.domain.case import Case
from monitor.domain.policy import PolicyFile
from monitor.domain.verdict import Action, Expects
from monitor.store.erasure import KEPT
from monitor.store.store import Store, Transaction

#: From this severity on somebody is hurt, named or in danger (POLICY: severity and precedence).
_GRAVE = 3


def run(store: Store, book: PolicyFile, now: datetime, limit: int = 100) -> int:
    """Decide on up to `limit` items, each in a transaction of its own; how many were given up or kept."""
    with store.reading() as tx:
        due = tx.erasure.due(now - book.erase_deleted_after, limit)
    return sum(_decide(store, item_id, book.keep_deleted_because, now) for item_id in due)


def _decide(store: Store, item_id: int, because: str, now: datetime) -> bool:
    with store.transaction() as tx:
        case = tx.cases.for_item(item_id)
        if case is None or _ordinary(tx, case):
            erased = tx.erasure.erase(item_id, now)
            if erased and case is not None:
                tx.cases.log(case.id, "automatic", "erased", {"item": item_id}, now)
            return erased
        tx.cases.log(case.id, "automatic", KEPT, {"item": item_id, "because": because}, now)
        return True


def _ordinary(tx: Transaction, case: Case) -> bool:
    """Whether a case only ever waited for a glance."""
    only_a_glance = case.expects is Expects.GLANCE and case.action is Action.IGNORE and case.severity < _GRAVE
    return only_a_glance and not tx.erasure.proves_something(case.id)
