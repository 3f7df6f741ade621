"""What mention accounts search for where their options say nothing: the school's names and handles."""

from collections.abc import Iterator

from monitor.domain.account import Account
from monitor.domain.errors import ConfigError


def names(account: Account, *options: str) -> tuple[str, ...]:
    """The school's names, misspellings and handles, each once, without quotation marks and the @ of handles.

    Raises ConfigError where there are none; `options` are where the account could say what to search for.
    """
    handles = (handle.lstrip("@") for handle in account.names.handles)
    bare = (name.replace('"', " ").strip() for name in (*account.names.phrases, *handles))
    found = tuple(dict.fromkeys(filter(None, bare)))
    if not found:
        own = " or ".join(f"{option!r}" for option in options)
        raise ConfigError(
            f"account {account.id}: there is nothing to search for; give option {own}, or the school's names in "
            "school.yaml (`mentions`)"
        )
    return found


def phrases(account: Account, *options: str) -> tuple[str, ...]:
    """`names`, each as an exact phrase."""
    return tuple(f'"{name}"' for name in names(account, *options))


def joined(account: Account, option: str, *, by: str, longest: int) -> Iterator[str]:
    """As few searches as hold all `phrases`, none of several longer than `longest` signs."""
    query = ""
    for phrase in phrases(account, option):
        longer = f"{query}{by}{phrase}" if query else phrase
        if query and len(longer) > longest:
            yield query
            longer = phrase
        query = longer
    yield query
