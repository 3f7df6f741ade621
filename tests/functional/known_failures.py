"""What the shipped model gets wrong: `python -m tests.functional.known_failures` lists it anew and prints the share
of each capability that passes, in Markdown. Run it after the model, the word list or the patterns have changed.

A case on the list is expected to fail: one that starts to pass fails the tests until it is taken off.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

import pytest
import yaml

from tests.functional.cases import HERE, Case, cases, read
from tests.functional.gaps import gaps
from tests.functional.identity import identity_cases

FILE = HERE / "known_failures.yaml"
_HEAD = """\
# Cases that the shipped model fails, and how (scores in brackets). They are expected to fail, and to be taken off
# this list when they no longer do: `python -m tests.functional.known_failures` writes it anew.
"""


def every_case() -> list[Case]:
    """The written cases and those made from templates."""
    return [*cases(), *identity_cases()]


def known() -> dict[str, str]:
    """What happens in each case that is known to fail, by id."""
    return yaml.safe_load(FILE.read_text(encoding="utf-8")) or {}


def marks(identity: str, failing: Mapping[str, str]) -> tuple[pytest.MarkDecorator, ...]:
    """A mark for a case that is known to fail."""
    if identity not in failing:
        return ()
    return (pytest.mark.xfail(strict=True, raises=AssertionError, reason=failing[identity]),)


def main() -> None:
    readings = read(every_case())
    failings = {case.id: case.failings(readings[case.id]) for case in every_case()}
    failings |= {gap.id: gap.failings() for gap in gaps(readings)}
    failing = {identity: "; ".join(phrases) for identity, phrases in failings.items() if phrases}
    body = yaml.safe_dump(failing, sort_keys=False, allow_unicode=True, width=1000)
    FILE.write_text(_HEAD + body, encoding="utf-8")
    print(rates(failings, failing))


def rates(tested: Iterable[str], failing: Collection[str]) -> str:
    """Markdown: of each capability how many cases there are and how many pass; at the end all but the templates."""
    total, failed = (Counter(map(_capability, those)) for those in (tested, failing))
    written = {case.capability for case in cases()}
    rows = ["| capability | cases | pass | share |", "|---|---|---|---|"]
    for name, of in [*((each, {each}) for each in total), ("all that are written", written)]:
        count = sum(total[each] for each in of)
        passed = count - sum(failed[each] for each in of)
        rows.append(f"| {name.replace('_', ' ')} | {count} | {passed} | {passed / count:.0%} |")
    return "\n".join(rows)


def _capability(identity: str) -> str:
    return identity.partition("/")[0]


if __name__ == "__main__":
    main()
