"""The composition root: configuration → store, connectors, classifier, browser and mailer, put together."""

import fcntl
import logging
import os
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from classifiers import reader
from classifiers.reader import SchoolReader
from classifiers.tuning import TuningError, Tunings
from monitor.adapters.clock import SystemClock
from monitor.adapters.letters import TemplateLetters
from monitor.adapters.secrets import secret
from monitor.adapters.smtp import SmtpMailer
from monitor.bootstrap.accounts import Examined, connect_all, examine
from monitor.bootstrap.network import WayOut, way_out
from monitor.config import Config, Mail, School, default_folder, load_config
from monitor.domain.errors import ConfigError
from monitor.domain.people import Person
from monitor.domain.ports import Clock, Letters, Mailer, Reader
from monitor.domain.rulebook import RuleBook
from monitor.domain.sender import Sender
from monitor.evidence.browser import Browser
from monitor.evidence.capturer import PageCapturer
from monitor.evidence.find_browser import driver_problem, find_browser
from monitor.evidence.upstream import Upstream
from monitor.evidence.vault import FolderVault
from monitor.jobs import Parts
from monitor.pipeline.classify import record_health
from monitor.store.engine import migrate, open_engine
from monitor.store.store import Store

logger = logging.getLogger(__name__)

#: The kind of classifier that can learn from corrections.
TUNABLE = "local"

NO_BROWSER = "none was found. Install one (Debian: apt-get install chromium) and start again"
WITHOUT_PICTURES = "evidence is the platform's record and a card, without a picture of the page"
NO_SANDBOX = (
    "the browser that photographs pages runs without its own sandbox: run Schoolwatch as an ordinary user, with "
    "browser_sandbox: true"
)


def database_url(data: Path, environment: Mapping[str, str] = os.environ) -> str:
    """$SCHOOLWATCH_DATABASE (or its _FILE), else a SQLite file in the data folder."""
    if "SCHOOLWATCH_DATABASE" in environment or "SCHOOLWATCH_DATABASE_FILE" in environment:
        return secret("SCHOOLWATCH_DATABASE", environment)
    return f"sqlite:///{data / 'schoolwatch.db'}"


@contextmanager
def open_store(config: Config, data: Path, environment: Mapping[str, str] = os.environ) -> Iterator[Store]:
    """The school's store, migrated, and nothing else."""
    data.mkdir(parents=True, exist_ok=True)
    engine = open_engine(database_url(data, environment))
    migrate(engine)
    store = Store(engine, config.school.id)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def build(
    config: Config,
    data: Path,
    *,
    clock: Clock | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Iterator[Parts]:
    """Everything the service needs, closed again at the end of the block. Raises ConfigError.

    An account that cannot be connected is left out and recorded as a problem; the others are read.
    """
    clock = clock or SystemClock()
    with ExitStack() as stack:
        data.mkdir(parents=True, exist_ok=True)
        stack.enter_context(_only_one(data))
        network = way_out(config, data, environment)
        connected = connect_all(config, network, data, environment, clock.now())
        config = replace(config, accounts=connected.accounts)
        store = stack.enter_context(open_store(config, data, environment))
        school_reader = load_school_reader(config, data)
        config = replace(config, warnings=(*config.warnings, *school_reader.notes))
        browser = _browser(config.school, network)
        if browser is not None:
            stack.enter_context(browser)
            config = config if browser.sandbox else replace(config, warnings=(*config.warnings, NO_SANDBOX))
        parts = Parts(
            config=config,
            store=store,
            clock=clock,
            connectors=connected.connectors,
            problems=connected.problems,
            reader=school_reader,
            capturer=PageCapturer(browser),
            vault=FolderVault(data / "vault"),
            mailer=make_mailer(config.school.mail, network, environment),
            letters=make_letters(config),
            book=rule_book(config),
            sender=make_sender(config),
        )
        _record_start(parts, browser is not None)
        yield parts


def _browser(school: School, network: WayOut) -> Browser | None:
    executable = find_browser()
    if executable is None:
        return None
    sandbox = None if school.browser_sandbox else False
    return Browser(
        executable,
        allow=frozenset(school.browser_may_open),
        upstream=_upstream(network),
        certificates=Path(network.ca_bundle) if network.ca_bundle else None,
        sandbox=sandbox,
    )


def _upstream(network: WayOut) -> Upstream | None:
    login = network.proxy_login.get_secret_value() if network.proxy_login else ""
    return Upstream(network.proxy, login) if network.proxy else None


def load_school_reader(config: Config, data: Path | None = None, *, explains: bool = True) -> SchoolReader:
    """The reader that a school's configuration asks for, with what its corrections taught, which lies in `data`.

    Raises ConfigError for what does not fit; a tuning that does not is left out, and `notes` says so.
    """
    kind, options = config.school.classifier, classifier_options(config)
    notes = []
    if data and kind == TUNABLE:
        try:
            tuning = school_tunings(data).in_use()
            return reader.load_reader(kind, config.people, options={**options, "tuning": tuning}, explains=explains)
        except TuningError as error:
            logger.error("what the school's corrections taught is not used: %s", error)
            notes.append(f"what your corrections taught the classifier is not used: {error}")
    return reader.load_reader(kind, config.people, options=options, notes=notes, explains=explains)


def school_tunings(data: Path) -> Tunings:
    """What the corrections of the school with this data folder taught."""
    return Tunings(data / "tuning")


def load_reader(people: Sequence[Person], kind: str = "local", *, explains: bool = True) -> Reader:
    """A reader over any roster and kind of classifier, with the options of $SCHOOLWATCH_CONFIG if that is its kind.

    Raises ConfigError.
    """
    config = load_config(default_folder())
    options = classifier_options(config) if config.school.classifier == kind else {}
    return reader.load_reader(kind, people, options=options, explains=explains)


def classifier_options(config: Config) -> dict[str, Any]:
    """`classifier_options` of school.yaml; a folder in it lies beside that file unless its path is absolute."""
    options = dict(config.school.classifier_options)
    for name in ("folder", "model"):
        place = config.folder / str(options.get(name, ""))
        if name in options and (name == "folder" or place.is_dir()):
            options[name] = place
    return options


def rule_book(config: Config) -> RuleBook:
    return RuleBook(policy=config.policy, people=config.people, calendar=config.calendar)


def examine_accounts(
    config: Config, data: Path, environment: Mapping[str, str] = os.environ, *, ask: bool
) -> list[Examined]:
    """What each account can do and what is wrong with it; `ask` its platform too. Raises ConfigError."""
    network = way_out(config, data, environment)
    return examine(config, network, data, environment, SystemClock().now(), ask=ask)


def what_is_missing(config: Config, data: Path, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What would keep the service from starting beside its accounts, and why, by what cannot work without it."""
    needs: Mapping[str, Callable[[], object]] = {
        "e-mail": lambda: make_mailer(config.school.mail, way_out(config, data, environment), environment),
        "the database": lambda: database_url(data, environment),
    }
    missing = {}
    for what, need in needs.items():
        try:
            need()
        except ConfigError as error:
            missing[what] = str(error)
    return missing


def make_mailer(mail: Mail, network: WayOut, environment: Mapping[str, str] = os.environ) -> Mailer:
    password = secret(mail.password, environment) if mail.password else None
    return SmtpMailer(
        host=mail.host,
        port=mail.port,
        sender=mail.sender,
        username=mail.username,
        password=password,
        tls=mail.tls,
        context=ssl.create_default_context(cafile=network.ca_bundle) if network.ca_bundle else None,
    )


def make_letters(config: Config) -> Letters:
    return TemplateLetters(config.templates, config.calendar)


def make_sender(config: Config) -> Sender:
    school = config.school
    domain = school.mail.sender.rpartition("@")[2].rstrip(">")
    return Sender(school=school.name, desk=school.public_url.rstrip("/"), domain=domain)


def _record_start(parts: Parts, browser: bool) -> None:
    """Put what is missing from the start on the status page, and take off what is mended."""
    now = parts.clock.now()
    with parts.store.transaction() as tx:
        tx.sources.register(parts.config.accounts)
        tx.health.start_afresh(now)
        warnings = [one for one in tx.health.problems() if one.topic == "access"]
        warned = [one.id for one in parts.config.accounts if any(told.is_about(one.id) for told in warnings)]
        tx.access.ask_anew(warned)
        record_health(tx, parts.reader, now)
        if browser:
            tx.health.cleared("browser", now)
        else:
            tx.health.problem("browser", f"{driver_problem() or NO_BROWSER}; until then {WITHOUT_PICTURES}", now)


@contextmanager
def _only_one(data: Path) -> Iterator[None]:
    """Two services on one data folder would poll twice: the second is refused. A killed one frees its lock."""
    with (data / "running.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(
                f"Schoolwatch is already running on {data}: stop it first, or use another --data"
            ) from error
        yield
