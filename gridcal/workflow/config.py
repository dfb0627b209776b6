"""The study file: what a run consists of, read from YAML and checked key by key before anything is computed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from gridcal.errors import ConfigError
from gridcal.study.study_file import ComputeSection, ModelSection, Period, Section, read_document, validated


class TwinSection(Section):
    """A synthetic region with known parameters."""

    kind: Literal["twin"]
    lat: int = Field(default=24, ge=2, le=2000)
    lon: int = Field(default=32, ge=2, le=2000)
    years: int = Field(default=3, ge=1, le=200)
    snr_db: float = Field(default=20.0, description="signal-to-noise ratio of the 8-day GPP, decibel")
    samples: int = Field(default=80, ge=10)


class FluxSitesSection(Section):
    """Flux sites from the data directory."""

    kind: Literal["flux-sites"]
    sites: Literal["recommended"] | list[str] = "recommended"
    classes: list[str] | None = Field(default=None, description="IGBP classes to keep, e.g. [DBF]")
    fapar: Literal["weekly", "daily"] = "weekly"
    moisture: Literal["wsoil+bucket", "bucket"] = "wsoil+bucket"
    calibration_share: float = Field(default=0.67, gt=0.0, le=1.0, description="share of a site's years to calibrate on")
    hold_out: list[str] = Field(default_factory=list, description="sites calibrated for reference but never learnt from")


class CubeSection(Section):
    """Any cube: a catalog entry or a path, sampled pixel by pixel."""

    kind: Literal["cube"]
    source: str
    samples: int = Field(default=400, ge=10)
    stratify_by: str | None = None
    period: Period | None = None


class TargetSection(Section):
    """A target: see :class:`gridcal.Target`."""

    variable: str
    against: str | None = None
    every: str = "8-day"
    likelihood: Literal["profile", "fixed", "obs_variance"] = "profile"
    sigma: float | str | None = None
    n_eff: float | Literal["ar1"] | None = None
    min_fraction: float = 0.5


class BlockSection(Section):
    """A block: see :class:`gridcal.Block`."""

    fit: list[str]
    to: TargetSection | list[TargetSection]
    constraint: float = 1.0
    carry: int = Field(default=0, ge=0)
    edc: Literal["reject", "penalise"] | None = None


class CalibrationSection(Section):
    """How parameters are calibrated."""

    method: Literal["masm", "mcmc", "cmaes", "auto"] = "masm"
    options: dict[str, Any] = Field(default_factory=dict)
    blocks: list[BlockSection]
    chunk: int = Field(default=8, ge=1, description="pixels in a tile")


class ScreeningSection(Section):
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
    period: Period | None = Field(default=None, description="days that are scored; the calibration's without it")
    chunk: int = Field(default=8, ge=1, description="pixels in a tile")


class LearnSection(Section):
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


class MapSection(Section):
    """Where parameters are predicted and the model is run."""

    kind: Literal["same", "climatological-year"]
    year: int = 2015
    every: Literal["daily", "8-day", "monthly"] = "8-day"
    tile: int = Field(default=50, ge=1, description="pixels a side of a tile")


class EvaluateSection(Section):
    """What is scored, and how."""

    scales: list[str] = Field(default_factory=lambda: ["8-day"])
    periods: dict[str, Period] | None = None
    diso_variant: Literal["hu2019", "printed"] = "hu2019"


class StudyConfig(Section):
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
    more: dict[str, dict[str, Any]] = Field(default_factory=dict, description="keys of stages from elsewhere, by stage")
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
        for name in ("screening", "more"):
            if not found[name]:
                del found[name]
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
    return parse_config(read_document(path), str(path))


def parse_config(document: dict[str, Any], origin: str = "configuration") -> StudyConfig:
    """Check a configuration given as a mapping; see :func:`load_config`."""
    if document.get("kind") == "compare":
        raise ConfigError(f"{origin} describes a comparison of extrapolations", "Run it with: gridcal compare")
    return validated(document, StudyConfig, origin)
