"""What every study file has: how it is read from YAML, how its keys are checked, which model and machine it names."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from gridcal.errors import ConfigError
from gridcal.models import model_named
from gridcal.process.model import ProcessModel

LIMIT = 1_000_000
"""Most bytes of a study file."""


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
    """Where the work runs. Not part of the fingerprint: results do not depend on it."""

    cluster: Literal["none", "local", "slurm", "gateway"] | str = "local"
    workers: int = Field(default=2, ge=1)
    options: dict[str, Any] = Field(default_factory=dict)


Config = TypeVar("Config", bound=BaseModel)


def read_document(path: str | Path) -> dict[str, Any]:
    """Content of a study file.

    Raises
    ------
    ConfigError
        If the file cannot be read, is too large, is not YAML, or holds no mapping.
    """
    file = Path(path)
    if not file.is_file():
        raise ConfigError(f"no study file {str(file)!r}", "Give the path of a YAML file, e.g. one from notebooks/studies")
    if file.stat().st_size > LIMIT:
        raise ConfigError(f"study file {str(file)!r} is larger than {LIMIT} bytes", "A study file is a page of YAML")
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"study file {str(file)!r} cannot be read ({error.strerror})", "Check its permissions") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"study file {str(file)!r} is not YAML: {error}", "Repair the line named above") from error
    if not isinstance(document, dict):
        raise ConfigError(f"study file {str(file)!r} holds no mapping", "Start with 'title: ...'")
    return document


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
    return ConfigError(f"{origin}: {where}: {first['msg'].removeprefix('Value error, ')}{tail}", "Repair this value")


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
