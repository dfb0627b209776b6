"""Where the sites of a comparison come from: flux sites, synthetic sites, or any cube over sites."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import xarray as xr

from gridcal.comparison_config import ComparisonConfig, CubeSites, FluxSites
from gridcal.cube import open_cube
from gridcal.errors import InputError
from gridcal.model import ProcessModel


@dataclasses.dataclass(frozen=True)
class ComparisonSources:
    """What a comparison reads.

    Parameters
    ----------
    data : Dataset, dims (time, site)
        Forcing, site constants, observations, features; coordinates lat, lon, pft, climate, and elv, climate_class, region
        where known; ``cycles`` (site, cycle) and ``tower`` (time, site) where known.
    features : list of str
        Variables that may be learnt from.
    observed : dict of str to str
        Observed variable of each model output.
    uncertainty : str or None
        Variable with the uncertainty of the observations.
    inputs : list of dict
        Title, licence and citation of everything read.
    caveats : list of str
        What the data do not hold.
    """

    data: xr.Dataset
    features: list[str]
    observed: dict[str, str]
    uncertainty: str | None
    inputs: list[dict[str, str]]
    caveats: list[str]


def comparison_sources(config: ComparisonConfig, model: ProcessModel) -> ComparisonSources:
    """Read everything a comparison needs.

    Raises
    ------
    GridcalError
        If data are missing or do not fit; the message names the variable and the repair.
    """
    section = config.data
    if isinstance(section, FluxSites):
        return _flux_sites(section, config)
    if isinstance(section, CubeSites):
        return _cube(section, model)
    from gridcal.synthetic_sites import synthetic_sites

    made = synthetic_sites(section.sites, section.years, seed=section.world, lag=config.model.lag)
    return ComparisonSources(
        made.cube.data.assign({f"true_{n}": made.truth[n] for n in made.truth.data_vars}),
        list(made.cube.feature_names),
        {"gpp": "gpp_obs"},
        None,
        [{"title": "synthetic sites", "licence": "none needed", "citation": "made by gridcal"}],
        ["The sites are synthetic: the model that is calibrated made the observations, with errors added."],
    )


def _flux_sites(section: FluxSites, config: ComparisonConfig) -> ComparisonSources:
    from gridcal.ingest.comparison_sites import comparison_site_cube
    from gridcal.ingest.flux_sites import CAVEATS, SOURCES

    cube = comparison_site_cube(sites=section.sites, fapar=section.fapar, moisture=section.moisture, lag=config.model.lag)
    uncertainty = "gpp_unc" if section.weights == "uncertainty" else None
    data = cube.data if uncertainty else cube.data.drop_vars("gpp_unc")
    return ComparisonSources(data, list(cube.feature_names), {"gpp": "gpp_obs"}, uncertainty, list(SOURCES), list(CAVEATS))


def _cube(section: CubeSites, model: ProcessModel) -> ComparisonSources:
    cube = open_cube(section.source)
    cube.require([*model.forcing, *section.observed.values()])
    if cube.space_dims != ("site",):
        raise InputError(f"the cube lies over {cube.space_dims}, a comparison needs sites", "Give a cube over (time, site)")
    data = cube.data.load()
    features = list(section.features or cube.feature_names)
    coords: dict[str, Any] = {}
    for name, source in (("pft", section.pft), ("climate", section.climate)):
        if source not in data.variables:
            raise InputError(f"the cube lacks {source!r}, the sites' {name}", f"Name another variable: data.{name}")
        texts = [str(v).strip() for v in data[source].values]
        coords[name] = ("site", np.array([t[:1] for t in texts] if name == "climate" else texts, dtype=object))
        if name == "climate":
            coords["climate_class"] = ("site", np.array(texts, dtype=object))
    inputs = []
    if cube.entry is not None:
        entry = cube.entry
        inputs = [{"title": entry.title, "licence": str(entry.licence), "citation": str(entry.citation)}]
    return ComparisonSources(data.assign_coords(coords), features, dict(section.observed), section.uncertainty, inputs, [])
