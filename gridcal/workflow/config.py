"""The study file: what a run consists of, read from YAML and checked key by key before anything is computed."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from gridcal.errors import ConfigError

_LIMIT = 1_000_000


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSection(_Section):
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


class TwinSection(_Section):
    """A synthetic region with known parameters."""

    kind: Literal["twin"]
    lat: int = Field(default=24, ge=2)
    lon: int = Field(default=32, ge=2)
    years: int = Field(default=3, ge=1)
    snr_db: float = Field(default=20.0, description="signal-to-noise ratio of the 8-day GPP, decibel")
    samples: int = Field(default=80, ge=10)


class FluxSitesSection(_Section):
    """Flux sites from the data directory."""

    kind: Literal["flux-sites"]
    sites: Literal["recommended"] | list[str] = "recommended"
    classes: list[str] | None = Field(default=None, description="IGBP classes to keep, e.g. [DBF]")
    fapar: Literal["weekly", "daily"] = "weekly"
    moisture: Literal["wsoil+bucket", "bucket"] = "wsoil+bucket"
    calibration_share: float = Field(default=0.67, gt=0.0, le=1.0, description="share of a site's years to calibrate on")
    hold_out: list[str] = Field(default_factory=list, description="sites calibrated for reference but never learnt from")


class CubeSection(_Section):
    """Any cube: a catalog entry or a path, sampled pixel by pixel."""

    kind: Literal["cube"]
    source: str
    samples: int = Field(default=400, ge=10)
    stratify_by: str | None = None
    period: tuple[str, str] | None = None


class TargetSection(_Section):
    """A target: see :class:`gridcal.Target`."""

    variable: str
    against: str | None = None
    every: str = "8-day"
    likelihood: Literal["profile", "fixed", "obs_variance"] = "profile"
    sigma: float | str | None = None
    n_eff: float | Literal["ar1"] | None = None
    min_fraction: float = 0.5


class BlockSection(_Section):
    """A block: see :class:`gridcal.Block`."""

    fit: list[str]
    to: TargetSection | list[TargetSection]
    constraint: float = 1.0
    carry: int = Field(default=0, ge=0)
    edc: Literal["reject", "penalise"] | None = None


class CalibrationSection(_Section):
    """How parameters are calibrated."""

    method: Literal["masm", "mcmc", "cmaes", "auto"] = "masm"
    options: dict[str, Any] = Field(default_factory=dict)
    blocks: list[BlockSection]
    chunk: int = Field(default=8, ge=1, description="pixels in a tile")


class ScreeningSection(_Section):
    """Which parameters are screened, and how: see :class:`gridcal.Morris` and :func:`gridcal.screen`."""

    targets: list[TargetSection] | None = Field(default=None, description="the calibration's own without it")
    parameters: list[str] | None = Field(default=None, description="all without it")
    trajectories: int = Field(default=20, ge=2)
    levels: int = Field(default=4, ge=2)
    functional: Literal["mean", "change", "cost"] = "mean"
    scale: Literal["linear", "log10"] | dict[str, Literal["linear", "log10"]] = "linear"
    pool: int | None = None
    resample: int = Field(default=1000, ge=0)
    confidence: float = Field(default=0.95, gt=0.0, lt=1.0)
    threshold: float = Field(default=0.1, gt=0.0, lt=1.0, description="share of the largest mu* that keeps a parameter")
    dead: dict[str, float] = Field(default_factory=dict, description="runs to count, {output: value it never reaches}")
    period: tuple[str, str] | None = Field(default=None, description="days that are scored; the calibration's without it")
    chunk: int = Field(default=8, ge=1, description="pixels in a tile")


class LearnSection(_Section):
    """How parameters are learnt from features."""

    method: str = "xgboost"
    features: list[str] | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    folds: int = Field(default=5, ge=2)
    diso: float = Field(default=0.35, gt=0.0)
    rhat: float = Field(default=1.2, gt=1.0)
    accept: list[Literal["ok", "not_converged", "surrogate_unverified"]] = Field(
        default=["ok"], min_length=1, description="outcomes of the calibration that may be learnt from"
    )


class MapSection(_Section):
    """Where parameters are predicted and the model is run."""

    kind: Literal["same", "climatological-year"]
    year: int = 2015
    every: Literal["daily", "8-day", "monthly"] = "8-day"
    tile: int = Field(default=50, ge=1, description="pixels a side of a tile")


class EvaluateSection(_Section):
    """What is scored, and how."""

    scales: list[str] = Field(default_factory=lambda: ["8-day"])
    periods: dict[str, tuple[str, str]] | None = None
    diso_variant: Literal["hu2019", "printed"] = "hu2019"


class ComputeSection(_Section):
    """Where the work runs. Not part of the fingerprint: results do not depend on it."""

    cluster: Literal["none", "local", "slurm", "gateway"] | str = "local"
    workers: int = Field(default=2, ge=1)
    options: dict[str, Any] = Field(default_factory=dict)


class StudyConfig(_Section):
    """A whole study."""

    title: str
    seed: int = Field(default=1, ge=0)
    model: ModelSection = ModelSection()
    data: TwinSection | FluxSitesSection | CubeSection = Field(discriminator="kind")
    screening: ScreeningSection | None = None
    calibration: CalibrationSection
    learn: LearnSection = LearnSection()
    map: MapSection = MapSection(kind="same")
    evaluate: EvaluateSection = EvaluateSection()
    compute: ComputeSection = ComputeSection()

    @model_validator(mode="after")
    def _map_fits_data(self) -> StudyConfig:
        if self.map.kind == "same" and self.data.kind == "flux-sites":
            raise ValueError("map.kind 'same' needs gridded data; with flux sites use 'climatological-year'")
        if self.map.kind == "climatological-year" and self.data.kind != "flux-sites":
            raise ValueError("map.kind 'climatological-year' is for flux sites; a cube is mapped on its own grid: use 'same'")
        return self

    def identity(self) -> dict[str, Any]:
        """What the results depend on: everything but title and compute."""
        found = self.model_dump(mode="json", exclude={"title", "compute"})
        if found["screening"] is None:  # a study without it is the one it was before there was one
            del found["screening"]
        return found


def load_config(path: str | Path) -> StudyConfig:
    """Read and check a study file.

    Parameters
    ----------
    path : path
        A YAML file.

    Returns
    -------
    StudyConfig
        The checked configuration.

    Raises
    ------
    ConfigError
        If the file cannot be read, a key is unknown or a value impossible; the message names the key and the repair.
    """
    file = Path(path)
    if not file.is_file():
        raise ConfigError(f"no study file {str(file)!r}", "Give the path of a YAML file, e.g. one from notebooks/studies")
    if file.stat().st_size > _LIMIT:
        raise ConfigError(f"study file {str(file)!r} is larger than {_LIMIT} bytes", "A study file is a page of YAML")
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigError(f"study file {str(file)!r} is not YAML: {error}", "Repair the line named above") from error
    if not isinstance(document, dict):
        raise ConfigError(f"study file {str(file)!r} holds no mapping", "Start with 'title: ...'")
    return parse_config(document, str(file))


def parse_config(document: dict[str, Any], origin: str = "configuration") -> StudyConfig:
    """Check a configuration given as a mapping; see :func:`load_config`."""
    if document.get("kind") == "compare":
        raise ConfigError(f"{origin} describes a comparison of extrapolations", "Run it with: gridcal compare")
    try:
        return StudyConfig.model_validate(document)
    except ValidationError as error:
        raise readable(error, origin, StudyConfig) from error


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
