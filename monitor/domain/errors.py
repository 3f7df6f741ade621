"""One tree of errors. The docstring is the message; `permanent` says whether trying again can help."""

from datetime import datetime


class MonitorError(Exception):
    """Something went wrong."""

    #: True: trying again is useless, a person must do something. False: the next sweep tries again.
    permanent = False

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class ConfigError(MonitorError):
    """A value in the configuration cannot be used."""

    permanent = True


class SourceError(MonitorError):
    """A platform could not be read.

    `retry_at` (UTC) is the platform's own word on when to come back, where it gave one.
    """

    def __init__(self, message: str, *, permanent: bool = False, retry_at: datetime | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_at = retry_at


class ClassifierError(MonitorError):
    """The classifier cannot score: its model is missing, damaged or failed."""


class CaptureError(MonitorError):
    """The browser could not photograph a page."""


class VaultError(MonitorError):
    """A file in the vault no longer matches its hash."""

    permanent = True


class MailError(MonitorError):
    """A mail server did not accept a message."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class TransitionError(MonitorError):
    """A case cannot go from its present state to the one asked for."""

    permanent = True


class NotFound(MonitorError):
    """There is no such record."""

    permanent = True
