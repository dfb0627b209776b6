"""The errors gridcal raises on purpose.

Every message names the thing that is wrong (a variable, a key, a file) and the repair. The command line prints the message
alone and exits with status 1; in Python they are ordinary exceptions below :class:`GridcalError`.
"""

from __future__ import annotations


class GridcalError(Exception):
    """Base of every error gridcal raises on purpose.

    Parameters
    ----------
    problem : str
        What is wrong, naming the variable, key or file.
    repair : str, optional
        What the reader can do about it.
    """

    def __init__(self, problem: str, repair: str | None = None) -> None:
        self.problem = problem
        self.repair = repair
        super().__init__(problem if repair is None else f"{problem}. {repair}")


class InputError(GridcalError):
    """Data do not fit their declaration: a variable, unit, coordinate, calendar or chunk."""


class CatalogError(GridcalError):
    """A catalog entry cannot be read, or names data that are not there."""


class ConfigError(GridcalError):
    """A study file or an option holds an unknown key or an impossible value."""


class ModelError(GridcalError):
    """A process model's declaration and its kernel do not agree, or its input is out of its domain."""


class StudyError(GridcalError):
    """A study folder belongs to another configuration, is in use, or is damaged."""


class MissingExtraError(GridcalError):
    """An optional library is not installed; the repair names the ``pip install`` that brings it."""
