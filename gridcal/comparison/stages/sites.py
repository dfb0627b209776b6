"""Stage ``sites``: data of every site, and the folds they are tested in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridcal.comparison.comparison_job import ComparisonJob
from gridcal.comparison.folds import site_data
from gridcal.comparison.tiles import make_context
from gridcal.errors import ConfigError
from gridcal.extrapolation.methods.p_model import DRIVERS as P_MODEL_DRIVERS
from gridcal.extrapolation.methods.p_model import MOISTURE as P_MODEL_MOISTURE
from gridcal.process.identity import of_model
from gridcal.study.stage import Estimate, Stage


def _check(job: ComparisonJob) -> None:
    """Raise :class:`ConfigError` for a method that the data or the model cannot serve, before anything has cost."""
    config, model, sources = job.config, job.model, job.sources
    if "P-model" in config.methods:
        stress = config.p_model.stress
        wanted = P_MODEL_DRIVERS if stress == "none" else (*P_MODEL_DRIVERS, P_MODEL_MOISTURE)
        lacking = [n for n in wanted if n not in model.forcing]
        if lacking or next(iter(sources.observed)) != "gpp":
            what = f"{lacking[0]!r}, which model {model.name!r} does not read" if lacking else "'gpp' as the first observation"
            raise ConfigError(f"the P-model needs {what}", "Leave it out of methods")
        if stress == "mengoli" and "p_over_pet" not in sources.data:
            raise ConfigError(
                "the stress 'mengoli' of the P-model needs the feature 'p_over_pet'", "Use p_model: {stress: stocker}"
            )
    if "Sitesim" in config.methods and "cycles" not in sources.data:
        raise ConfigError("Sitesim needs seasonal cycles of drivers, 'cycles' (site, cycle)", "Leave it out of methods")
    make_context(config, model, site_data(job.config, job.sources))  # raises what a later stage would


def inputs(job: ComparisonJob) -> Mapping[str, Any]:
    """What results depend on beside the study file."""
    return {"model": of_model(job.model), "data": job.sources.data.attrs.get("fingerprint", "")}


def _make(job: ComparisonJob) -> Mapping[str, Any]:
    return {"sites": site_data(job.config, job.sources).chunk({"time": -1, "site": -1})}


def _estimate(job: ComparisonJob) -> Estimate:
    return Estimate(1, job.sources.data.nbytes, 0.0)


DATA_KEYS = ("kind", "seed", "model", "data", "test_data")

SITES = Stage(
    name="sites",
    label="sites and folds",
    make=_make,
    makes=("sites",),
    keys=(*DATA_KEYS, "test_sites", "folds"),
    depends=inputs,
    check=_check,
    estimate=_estimate,
)
