"""What mention accounts search for where their options say nothing: the school's names and handles."""

from collections.abc import Iterable, Iterator, Sequence

from monitor.domain.account import Account
from monitor.domain.errors import ConfigError


def names(account: Account, *options: str) -> tuple[str, ...]:
    """The school's names, misspellings and handles, each once, without quotation marks and the @ of handles.

    Raises ConfigError where there are none; `options` are where the account could say what to search for.
    """
    handles = (handle.lstrip("@") for handle in account.names.handles)
    return _some(account, _bare((*account.names.phrases, *handles)), *options)


def phrases(account: Account, *options: str) -> tuple[str, ...]:
    """`names`, each as an exact phrase."""
    return _exact(names(account, *options))


def joined(
    account: Account, option: str, *, by: str, longest: int, handles: Sequence[str] | None = None
) -> Iterator[str]:
    """As few searches as hold all names of the school, none of several longer than `longest` signs.

    `handles` are those to look for, as the platform writes them; without, the school's own as phrases.
    """
    if handles is None:
        words = phrases(account, option)
    else:
        words = _some(account, (*_exact(_bare(account.names.phrases)), *handles), option)
    return map(by.join, batches(words, by, longest))


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


def _bare(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, (name.replace('"', " ").strip() for name in found))))


def _exact(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(f'"{name}"' for name in found)


def _some(account: Account, found: tuple[str, ...], *options: str) -> tuple[str, ...]:
    if not found:
        own = " or ".join(f"{option!r}" for option in options)
        raise ConfigError(
            f"account {account.id}: there is nothing to search for; give option {own}, or the school's names in "
            "school.yaml (`mentions`)"
        )
    return found
