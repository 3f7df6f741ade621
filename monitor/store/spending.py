"""What was spent on platforms that charge or ration what is asked of them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from monitor.domain import spending as rules
from monitor.domain.account import Budget
from monitor.store.rows import Repository
from monitor.store.tables import spending


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one credential (Account.credential) has cost in a month or day that goes on until `ends_at` (UTC).

    `amount` and `cap` are in `unit`; `period` is "2026-11" or "2026-11-21".
    """

    credential: str
    period: str
    unit: str
    amount: float
    cap: float
    ends_at: datetime

    @property
    def share(self) -> float:
        """How much of the cap is spent: 0.8 is 80 %, and it may pass 1."""
        return self.amount / self.cap if self.cap > 0 else float("inf")


class Spending(Repository):
    def add(self, credential: str, budget: Budget, amount: float, now: datetime) -> None:
        """Add what was just spent to the budget's present period."""
        statement = self._insert(spending).values(
            school_id=self._school,
            credential=credential,
            period=rules.period(budget, now),
            unit=budget.unit,
            amount=amount,
            cap=budget.cap,
            ends_at=rules.begins_anew(budget, now),
        )
        added = {
            "amount": spending.c.amount + statement.excluded.amount,
            "cap": statement.excluded.cap,
            "unit": statement.excluded.unit,
        }
        self._connection.execute(
            statement.on_conflict_do_update(index_elements=["school_id", "credential", "period"], set_=added)
        )

    def amount(self, credential: str, budget: Budget, now: datetime) -> float:
        """How much of the budget's present period is spent."""
        query = select(spending.c.amount).where(
            spending.c.school_id == self._school,
            spending.c.credential == credential,
            spending.c.period == rules.period(budget, now),
        )
        return self._connection.execute(query).scalar() or 0.0

    def all(self, now: datetime) -> list[Spent]:
        """What is spent of each budget in its present period, for every credential that spent anything in it."""
        query = (
            select(spending)
            .where(spending.c.school_id == self._school, spending.c.ends_at > now)
            .order_by(spending.c.credential)
        )
        names = Spent.__dataclass_fields__
        return [Spent(**{name: getattr(row, name) for name in names}) for row in self._connection.execute(query)]
