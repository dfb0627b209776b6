"""The study file of a comparison: which sites, which methods, how they are calibrated, trained, folded and scored."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from gridcal.errors import ConfigError
from gridcal.extrapolation.methods import METHODS
from gridcal.study.study_file import ComputeSection, ModelSection, Section, read_document, validated


class FluxSites(Section):
    """Flux sites from the data directory."""

    kind: Literal["flux-sites"]
    sites: Literal["recommended"] | list[str] = "recommended"
    data_dir: str | None = Field(default=None, description="folder of the tables, instead of GRIDCAL_DATA")
    fapar: Literal["weekly", "daily"] = "weekly"
    moisture: Literal["wsoil+bucket", "bucket"] = "wsoil+bucket"
    weights: Literal["none", "uncertainty"] = Field(default="none", description="days alike, or by the uncertainty of GPP")


class SyntheticSites(Section):
    """Synthetic sites whose parameters are known functions of their features."""

    kind: Literal["synthetic"]
    sites: int = Field(default=196, ge=20, le=20_000)
    years: int = Field(default=5, ge=1, le=200)
    world: int = Field(default=0, ge=0, description="seed of the world")


class CubeSites(Section):
    """Any cube over (time, site): a catalog entry or a path."""

    kind: Literal["cube"]
    source: str
    observed: dict[str, str] = Field(description="observed variable of each model output, e.g. {gpp: gpp_obs}")
    uncertainty: str | None = None
    pft: str = "igbp"
    climate: str = "koeppen"
    features: list[str] | None = None


class Calibration(Section):
    """How each site is calibrated."""

    optimiser: Literal["cmaes", "lbfgs"] = "cmaes"
    max_evaluations: int = Field(default=5000, ge=20)
    restarts: int = Field(default=1, ge=0)
    polish: bool = True
    starts: int = Field(default=4, ge=1)
    constraint: float = Field(default=1.0, ge=0.0, description="weight of the constraint; .inf rejects")
    chunk: int = Field(default=4, ge=1, description="sites in a tile")


class Search(Section):
    """How OPT-All and OPT-PFT search one parameter set for many sites."""

    optimiser: Literal["cmaes", "lbfgs"] = "cmaes"
    max_evaluations: int = Field(default=1500, ge=20)
    restarts: int = Field(default=0, ge=0)
    polish: bool = True
    starts: int = Field(default=2, ge=1)


class Training(Section):
    """The networks of SPIE and mNN; see :class:`gridcal.extrapolation.spie.network.NetworkSettings`."""

    hidden: list[int] = Field(default=[16, 16])
    epochs: int = Field(default=2000, ge=1)
    threshold: float = 1e-2
    learning_rate: float = Field(default=1e-3, gt=0.0)
    l2: float = Field(default=1e-4, ge=0.0)
    tether: float = Field(default=0.0, ge=0.0, description="penalty on SPIE's outputs away from where training starts")
    batch: int = Field(default=32, ge=1)
    dropout_input: float = Field(default=0.1, ge=0.0, lt=1.0)
    dropout_hidden: float = Field(default=0.1, ge=0.0, lt=1.0)
    patience: int | None = None
    validation_share: float = 0.2
    members: int = Field(default=1, ge=1, description="networks of SPIE, averaged in the unit cube")
    constraint: float = Field(default=0.1, ge=0.0, description="weight of the constraint in SPIE's cost")
    start: Literal["optimum", "middle"] = "optimum"


class Objective(Section):
    """What parameters are judged by in calibration and training."""

    fit: list[str] | None = Field(default=None, description="parameters searched; all that matter without it")
    gradient: Literal["auto", "exact", "differences"] = "auto"
    every: str = "daily"
    days: int | None = Field(default=None, description="keep so many observed days a site, drawn once")
    step: float = Field(default=1e-3, gt=0.0, description="step of the differences, as a share of the range")


class Folds(Section):
    """Cross-validation."""

    kind: Literal["class-complete", "spatial-block", "feature-cluster", "region"] = "class-complete"
    n: int = Field(default=10, ge=2)
    min_km: float = Field(default=5.0, ge=0.0, description="nearer sites share a fold")
    size: float = Field(default=10.0, gt=0.0, description="side of a spatial block, degrees")
    singletons: Literal["test", "train"] = "test"
    climate: Literal["climate", "climate_class"] = "climate_class"


class Features(Section):
    """Which features, and how far from the mean they may be."""

    use: list[str] | None = None
    exclude: list[str] = Field(default_factory=list)
    max_missing: float = Field(default=0.4, gt=0.0, le=1.0)
    clip: float = Field(default=4.0, gt=0.0, description="standardised features are kept within so many deviations")


class Assessment(Section):
    """What is scored, and the likelihood of being the best."""

    quality: Literal["present", "tower"] = "present"
    groups: int = Field(default=200, ge=1)
    sites_per_group: int = Field(default=100, ge=2)
    rule: Literal["both", "either"] = "both"
    nse_transform: Literal["none", "nnse"] = "none"


class OptimalityModel(Section):
    """The P-model."""

    stress: Literal["none", "stocker", "mengoli"] = Field(
        default="none", description="factor of soil moisture; mengoli reads the feature p_over_pet"
    )


class Explanation(Section):
    """Importance of the features for SPIE's networks."""

    permutations: int = Field(default=50, ge=0, description="0 for none")
    normalise: Literal["minmax", "sum"] = "minmax"


class ComparisonConfig(Section):
    """A comparison, key by key."""

    kind: Literal["compare"]
    title: str = "Comparison of parameter extrapolations"
    seed: int = 0
    model: ModelSection = Field(default_factory=lambda: ModelSection(lag="none"))
    data: FluxSites | SyntheticSites | CubeSites = Field(discriminator="kind")
    test_sites: list[str] = Field(default_factory=list, description="scored, never trained on")
    test_data: FluxSites | SyntheticSites | CubeSites | None = Field(
        default=None, discriminator="kind", description="further sites, all scored and never trained on"
    )
    methods: list[str] = Field(default_factory=lambda: list(METHODS))
    objective: Objective = Field(default_factory=Objective)
    calibration: Calibration = Field(default_factory=Calibration)
    search: Search = Field(default_factory=Search)
    training: Training = Field(default_factory=Training)
    folds: Folds = Field(default_factory=Folds)
    features: Features = Field(default_factory=Features)
    assessment: Assessment = Field(default_factory=Assessment)
    p_model: OptimalityModel = Field(default_factory=OptimalityModel)
    explanation: Explanation = Field(default_factory=Explanation)
    more: dict[str, dict[str, Any]] = Field(default_factory=dict, description="keys of stages from elsewhere, by stage")
    compute: ComputeSection = Field(default_factory=ComputeSection)

    @field_validator("methods")
    @classmethod
    def _known(cls, methods: list[str]) -> list[str]:
        for name in methods:
            if name not in METHODS:
                raise ValueError(f"unknown method {name!r}; use some of {', '.join(METHODS)}")
        if len(set(methods)) < len(methods) or not methods:
            raise ValueError("name each method once, and at least one")
        return methods

    def identity(self) -> dict[str, Any]:
        """Everything a result depends on."""
        found = self.model_dump(mode="json", exclude={"compute", "title"})
        if not found["more"]:
            del found["more"]
        return found


def load_comparison(path: str | Path) -> ComparisonConfig:
    """Read a comparison's study file.

    Raises
    ------
    ConfigError
        If it is missing, is no YAML, or holds an unknown key or impossible value.
    """
    return parse_comparison(read_document(path), str(path))


def parse_comparison(document: Any, origin: str = "the study file") -> ComparisonConfig:
    """Check a comparison given as plain data."""
    if not isinstance(document, dict) or document.get("kind") != "compare":
        raise ConfigError(f"{origin}: 'kind' is not 'compare'", "Write kind: compare; other studies run with gridcal run")
    return validated(document, ComparisonConfig, origin)
