"""The sites of a comparison, and the folds they are tested in."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import xarray as xr

from gridcal.comparison.config import ComparisonConfig
from gridcal.comparison.sources import ComparisonSources
from gridcal.errors import ConfigError, InputError
from gridcal.extrapolation.features.numbers import Reading, is_longitude
from gridcal.extrapolation.folds.site_folds import (
    class_complete_folds,
    continent,
    feature_cluster_folds,
    near_groups,
    region_folds,
    spatial_block_folds,
)


def site_folds(config: ComparisonConfig, sources: ComparisonSources) -> npt.NDArray[np.int64]:
    """Fold of each site: the one it is tested in, -1 pinned to training, -2 test only.

    Raises
    ------
    ConfigError
        If a test-only site is unknown.
    InputError
        If the sites lack a latitude or longitude.
    """
    data = sources.data
    labels = [str(s) for s in data["site"].values]
    stray = [s for s in config.test_sites if s not in labels]
    if stray:
        raise ConfigError(f"test_sites names {stray[0]!r}, which is not among the sites", f"Sites: {', '.join(labels)}")
    only = np.isin(labels, [*config.test_sites, *sources.test_only])
    section = config.folds
    rows = np.flatnonzero(~only)
    for name in ("lat", "lon"):
        if name not in data.variables:
            raise InputError(f"the sites have no coordinate {name!r}", "Folds need to know where they lie: add it, in degrees")
    lat, lon = data["lat"].values[rows].astype(float), data["lon"].values[rows].astype(float)
    groups = near_groups(lat, lon, section.min_km)
    if section.kind == "class-complete":
        of = data[section.climate] if section.climate in data.coords else data["climate"]
        classes = [data["pft"].values[rows], of.values[rows]]
        found = class_complete_folds(classes, section.n, seed=config.seed, groups=groups, singletons=section.singletons)
    elif section.kind == "spatial-block":
        found = spatial_block_folds(lat, lon, section.n, seed=config.seed, size=section.size, groups=groups)
    elif section.kind == "region":
        regions = data["region"].values[rows] if "region" in data.coords else continent(lat, lon)
        found = region_folds(list(regions))
    else:
        names = [n for n in sources.features if data[n].dtype.kind == "f"]
        x = np.stack([Reading(turn=is_longitude(data[n])).of(data[n].values[rows]) for n in names], axis=1)
        found = feature_cluster_folds(x, section.n, seed=config.seed, groups=groups)
    out = np.full(only.size, -2, dtype=np.int64)
    out[rows] = found
    return out


def site_data(config: ComparisonConfig, sources: ComparisonSources) -> xr.Dataset:
    """Data, folds, and the names of features and observations: the stage ``sites``."""
    data = sources.data.assign(fold_of_site=("site", site_folds(config, sources)))
    data["fold_of_site"].attrs = {"long_name": "fold a site is tested in; -1 pinned to training, -2 test only", "units": "1"}
    data.attrs = {
        "features": " ".join(sources.features),
        "observed": json.dumps(sources.observed),
        "uncertainty": sources.uncertainty or "",
    }
    return data
