"""What was spent on platforms that charge or ration what is asked of them."""

from datetime import datetime

from sqlalchemy import func, select

from monitor.domain import spending as rules
from monitor.domain.account import Budget
from monitor.domain.spending import Spent
from monitor.store.rows import Repository
from monitor.store.tables import spending


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

    def used_up(self) -> dict[str, datetime]:
        """When each budget that was ever used up begins (or has begun) anew after the last time, by credential."""
        query = (
            select(spending.c.credential, func.max(spending.c.ends_at))
            .where(spending.c.school_id == self._school, spending.c.amount >= spending.c.cap)
            .group_by(spending.c.credential)
        )
        return {row[0]: row[1] for row in self._connection.execute(query)}

    def all(self, now: datetime) -> list[Spent]:
        """What is spent of each budget in its present period, for every credential that spent anything in it."""
        query = (
            select(spending)
            .where(spending.c.school_id == self._school, spending.c.ends_at > now)
            .order_by(spending.c.credential)
        )
        names = Spent.__dataclass_fields__
        return [Spent(**{name: getattr(row, name) for name in names}) for row in self._connection.execute(query)]
