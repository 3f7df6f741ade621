"""What mention accounts search for where their options say nothing: the school's names, as exact phrases."""

from collections.abc import Iterable, Iterator

from monitor.domain.account import Account
from monitor.domain.errors import ConfigError


def for_names(
    account: Account, joined_by: str, longest: int, handles: Iterable[str] | None = None
) -> Iterator[str]:
    """As few searches as hold all names and handles of the school, none longer than `longest` signs.

    `handles` are those to look for, as the platform writes them; without, the school's, bare of their @. Raises
    ConfigError where there is nothing to look for.
    """
    names = (phrase.replace('"', " ").strip() for phrase in account.names.phrases)
    words = [f'"{name}"' for name in names if name]
    words += (handle.lstrip("@") for handle in account.names.handles) if handles is None else handles
    if not words:
        raise ConfigError(
            f"account {account.id}: there is nothing to search for; give option 'query', or the school's names in "
            "school.yaml (`mentions`)"
        )
    return map(joined_by.join, batches(dict.fromkeys(words), joined_by, longest))


def batches(words: Iterable[str], joined_by: str, longest: int) -> Iterator[list[str]]:
    """`words` in as few groups as stay within `longest` signs once joined; a word that is longer stands alone."""
    group: list[str] = []
    for word in words:
        if group and len(joined_by.join([*group, word])) > longest:
            yield group
            group = []
        group.append(word)
    if group:
        yield group
