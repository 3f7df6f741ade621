"""What mention accounts search for where their options say nothing: the school's names, as exact phrases."""

from collections.abc import Iterator

from monitor.domain.account import Account
from monitor.domain.errors import ConfigError


def for_names(account: Account, joined_by: str, longest: int) -> Iterator[str]:
    """As few searches as hold all names and handles of the school, none longer than `longest` signs.

    Raises ConfigError where the school has none.
    """
    names = (phrase.replace('"', " ").strip() for phrase in account.names.phrases)
    words = [f'"{name}"' for name in names if name]
    words += [handle.lstrip("@") for handle in account.names.handles]
    if not words:
        raise ConfigError(
            f"account {account.id}: there is nothing to search for; give option 'query', or the school's names in "
            "school.yaml (`mentions`)"
        )
    query = ""
    for word in dict.fromkeys(words):
        longer = f"{query}{joined_by}{word}" if query else word
        if query and len(longer) > longest:
            yield query
            longer = word
        query = longer
    yield query
