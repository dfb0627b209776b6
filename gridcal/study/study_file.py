"""What every study file has: how it is read from YAML, how its keys are checked, which model and machine it names."""

from __future__ import annotations

import datetime
import difflib
import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import pydantic
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from gridcal.errors import ConfigError
from gridcal.models import model_named
from gridcal.process.model import ProcessModel
from gridcal.study.safety.cluster_options import KINDS, checked_options
from gridcal.vocabulary.documents import read_yaml, refusing

MOST_WORKERS = 1000
_DAY = re.compile(r"\d{4}(-\d{1,2}(-\d{1,2}([T ][\d:.]+)?)?)?")


class Section(BaseModel):
    """Keys of a study file; one that is not declared is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSection(Section):
    """Process model and its parameter table."""

    name: str = "lue"
    bounds: dict[str, tuple[float, float]] = Field(default_factory=dict, description="other bounds, {name: [lower, upper]}")
    preset: Literal["bao2023", "wide"] = "bao2023"
    lag: Literal["bao2023", "de2025", "all", "none"] = "bao2023"

    @field_validator("bounds")
    @classmethod
    def _ordered(cls, bounds: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        for name, (lower, upper) in bounds.items():
            if not lower < upper:
                raise ValueError(f"bounds of {name} are in the wrong order: {lower} >= {upper}; give the lower bound first")
        return bounds

    def build(self) -> ProcessModel:
        """The model with its preset and bounds."""
        model = model_named(self.name)
        if self.name == "lue" and self.preset == "wide":
            from gridcal.models.lue import PARAMETERS_WIDE

            model = model.with_parameters(PARAMETERS_WIDE)
        return model.with_parameters(model.parameters.with_bounds(self.bounds)) if self.bounds else model


class ComputeSection(Section):
    """Where the work runs. Not part of the fingerprint: results do not depend on it.

    A study file may come from somebody else, so its options are those of :mod:`gridcal.study.safety.cluster_options` alone, and
    it names no scheduler: an address is given on the command line.
    """

    cluster: str = "local"
    workers: int = Field(default=2, ge=1, le=MOST_WORKERS)
    options: dict[str, Any] = Field(default_factory=dict)

    @field_validator("cluster", mode="before")
    @classmethod
    def _known(cls, cluster: Any) -> Any:
        if isinstance(cluster, str) and "://" in cluster:
            raise ValueError(
                f"a study file does not connect to a scheduler by itself ({cluster}); leave 'cluster' out and give the address "
                "on the command line: --scheduler ADDRESS (in Python: connect(address) before the run)"
            )
        if cluster not in KINDS:
            raise ValueError(f"unknown cluster {cluster!r}; use one of {', '.join(KINDS)}")
        return cluster

    @pydantic.model_validator(mode="after")
    def _harmless(self) -> ComputeSection:
        checked_options(self.cluster, self.options)
        return self


def _day(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        value = value.isoformat(timespec="seconds").removesuffix("T00:00:00")
    if isinstance(value, datetime.date | int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise ValueError(f"{value!r} is no day; write YYYY, YYYY-MM or YYYY-MM-DD")
    return value


def _in_order(days: tuple[str, str]) -> tuple[str, str]:
    length = min(map(len, days))
    if days[0][:length] > days[1][:length]:
        raise ValueError(f"the first day, {days[0]}, comes after the last, {days[1]}; write [first, last]")
    return days


Day = Annotated[str, pydantic.BeforeValidator(_day)]
"""A day, month or year as text; written without quotes, or given as a date, it is the same."""
Period = Annotated[tuple[Day, Day], pydantic.AfterValidator(_in_order)]
"""First and last day."""
Config = TypeVar("Config", bound=BaseModel)


def read_document(path: str | Path) -> dict[str, Any]:
    """Content of a study file.

    Raises
    ------
    ConfigError
        If the file cannot be read, is too large or too deep, is not plain YAML, or holds no mapping.
    """
    file = Path(path)
    if not file.is_file():
        raise ConfigError(f"no study file {str(file)!r}", "Give the path of a YAML file, e.g. one from notebooks/studies")
    return read_yaml(file, refusing(ConfigError, f"study file {str(file)!r}"), about="A study file is a page of YAML")


def validated(document: dict[str, Any], kind: type[Config], origin: str) -> Config:
    """A configuration of type `kind`.

    Raises
    ------
    ConfigError
        If a key is unknown or missing, or a value impossible; the message names the key and the repair.
    """
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        raise readable(error, origin, kind) from error


def readable(error: ValidationError, origin: str, root: type[BaseModel]) -> ConfigError:
    """The first problem of a configuration of type `root`, naming the key and the repair."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        key = str(first["loc"][-1])
        known = _known_keys(first["loc"], root)
        near = difflib.get_close_matches(key, known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known keys there: {', '.join(known)}"
        return ConfigError(f"{origin}: unknown key {where!r}", hint)
    if first["type"] == "missing":
        return ConfigError(f"{origin}: {where!r} is missing", "Add it")
    more = len(error.errors()) - 1
    tail = f" (and {more} more)" if more else ""
    repair = "Repair this value"
    if first["type"] == "string_type" and isinstance(first["input"], bool | int | float):
        repair = "Put it in quotes"
    return ConfigError(f"{origin}: {where}: {first['msg'].removeprefix('Value error, ')}{tail}", repair)


def _known_keys(location: tuple[int | str, ...], root: type[BaseModel]) -> list[str]:
    """Keys of the section a location lies in; a part that is no key is the ``kind`` of one of several sections."""
    sections = [root]
    for part in location[:-1]:
        inside = [s for section in sections if part in section.model_fields for s in _sections(section, str(part))]
        named = [s for s in sections if "kind" in s.model_fields and part in get_args(s.model_fields["kind"].annotation)]
        sections = inside or named or sections
    return list(sections[0].model_fields)


def _sections(section: type[BaseModel], key: str) -> list[type[BaseModel]]:
    """Sections that a key may hold, alone, in a list, or as one of several kinds."""
    annotation = section.model_fields[key].annotation
    return [a for a in (annotation, *get_args(annotation)) if isinstance(a, type) and issubclass(a, BaseModel)]
