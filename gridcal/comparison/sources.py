"""Where the sites of a comparison come from: flux sites, synthetic sites, or any cube over sites."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from gridcal.comparison.config import ComparisonConfig, CubeSites, FluxSites, SyntheticSites
from gridcal.cube import open_cube
from gridcal.cube.entry import describe
from gridcal.errors import ConfigError, InputError
from gridcal.extrapolation.features.labels import alike, class_labels, is_categorical, lookup_of, meanings_of, one_spelling
from gridcal.extrapolation.features.numbers import reading_of
from gridcal.kernels.series.fill import fill_gaps
from gridcal.process.model import ProcessModel
from gridcal.vocabulary.fingerprint import fingerprint


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
    test_only : tuple of str
        Sites of a second source, which are scored and never trained on.
    """

    data: xr.Dataset
    features: list[str]
    observed: dict[str, str]
    uncertainty: str | None
    inputs: list[dict[str, str]]
    caveats: list[str]
    test_only: tuple[str, ...] = ()


def comparison_sources(config: ComparisonConfig, model: ProcessModel) -> ComparisonSources:
    """Read everything a comparison needs.

    Raises
    ------
    GridcalError
        If data are missing or do not fit; the message names the variable and the repair.
    """
    sources = _read(config.data, config, model)
    if config.test_data is not None:
        sources = _joined(sources, _read(config.test_data, config, model), model)
    kinds = {
        n: ("site", alike(sources.data[n].values)) for n in ("pft", "climate", "climate_class") if n in sources.data.coords
    }
    return dataclasses.replace(sources, data=sources.data.assign_coords(kinds))


def _read(section: FluxSites | SyntheticSites | CubeSites, config: ComparisonConfig, model: ProcessModel) -> ComparisonSources:
    if isinstance(section, FluxSites):
        return _flux_sites(section, config)
    if isinstance(section, CubeSites):
        return _cube(section, model)
    from gridcal.synthetic.sites import synthetic_sites

    made = synthetic_sites(section.sites, section.years, seed=section.world, lag=config.model.lag)
    return ComparisonSources(
        made.cube.data.assign({f"true_{n}": made.truth[n] for n in made.truth.data_vars}),
        list(made.cube.feature_names),
        {"gpp": "gpp_obs"},
        None,
        [{"title": "synthetic sites", "licence": "none needed", "citation": "made by gridcal"}],
        ["The sites are synthetic: the model that is calibrated made the observations, with errors added."],
    )


def _joined(first: ComparisonSources, second: ComparisonSources, model: ProcessModel) -> ComparisonSources:
    """Both sources' sites over the days of either; drivers of days that one lacks are the site's mean seasonal cycle."""
    names = [[str(s) for s in x.data["site"].values] for x in (first, second)]
    both = sorted(set(names[0]) & set(names[1]))
    if both:
        raise ConfigError(f"test_data holds {both[0]!r}, which data holds too", "Leave it out of one of them")
    series = [n for n in model.forcing if n in first.data and "time" in first.data[n].dims]
    lacking = [n for n in (*series, *first.observed.values()) if n not in second.data]
    if lacking:
        raise InputError(f"test_data lacks {lacking[0]!r}", "Add it, with the units it has in data")
    time = first.data.indexes["time"].union(second.data.indexes["time"])
    doy = pd.DatetimeIndex(time).day_of_year.to_numpy()
    second = dataclasses.replace(second, data=_in_units_of(first.data, second.data))
    first, second = _classes_as_text(first, second)
    kept = [n for n in first.data.data_vars if n in second.data or n in first.features]
    parts = []
    for source in (first.data, second.data):
        part = source[[n for n in kept if n in source]].reindex(time=time)
        for name in series:
            x = part[name]
            if "site" not in x.dims:
                x = x.expand_dims(site=source["site"]).transpose("time", "site")
            filled = np.stack([fill_gaps(x.values[:, k].astype(float), doy)[0] for k in range(x.sizes["site"])], axis=1)
            # a gap within the source's own days stays one, and is named later as without a second source
            filled = np.where(time.isin(source.indexes["time"])[:, None], x.values, filled)
            part[name] = (("time", "site"), filled.astype(x.dtype), source[name].attrs)
        if "tower" in part:
            part["tower"] = part["tower"].fillna(False).astype(bool)
        for name in first.features:
            if name not in part:
                text = first.data[name].dtype.kind not in "fiu"
                part[name] = ("site", np.full(part.sizes["site"], "" if text else np.nan, dtype=object if text else float))
        parts.append(part)
    coords = set(parts[0].coords) & set(parts[1].coords)
    parts = [p.drop_vars([c for c in p.coords if c not in coords]) for p in parts]
    data = xr.concat(parts, dim="site", data_vars="minimal", coords="minimal", compat="override", join="exact")
    marks = [x.data.attrs.get("fingerprint", "") for x in (first, second)]
    data.attrs = {**first.data.attrs, "fingerprint": fingerprint({"data": marks[0], "test_data": marks[1]})}
    inputs = first.inputs + [x for x in second.inputs if x not in first.inputs]
    caveats = first.caveats + [x for x in second.caveats if x not in first.caveats]
    return dataclasses.replace(first, data=data, inputs=inputs, caveats=caveats, test_only=tuple(names[1]))


def _in_units_of(first: xr.Dataset, second: xr.Dataset) -> xr.Dataset:
    """The second source's numbers in the units of the first; what the vocabulary knows is in its units already."""
    out = second.copy()
    for name in sorted(map(str, second.data_vars)):
        x = second[name]
        if name not in first or x.dtype.kind not in "fiu" or is_categorical(x) or is_categorical(first[name]):
            continue
        reading = reading_of(x, first[name].attrs.get("units"))
        if (reading.scale, reading.offset) != (1.0, 0.0):
            out[name] = (x.astype(float) * reading.scale + reading.offset).assign_attrs(first[name].attrs)
    return out


def _classes_as_text(first: ComparisonSources, second: ComparisonSources) -> tuple[ComparisonSources, ComparisonSources]:
    """Both sources with the names of those classes that one has as text and the other as codes, or both as other codes."""
    texts: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for name in first.features:
        if name not in second.data:
            continue
        pair = first.data[name], second.data[name]
        same = pair[0].dtype.kind == pair[1].dtype.kind and meanings_of(pair[0]) == meanings_of(pair[1])
        if same or not any(map(is_categorical, pair)):
            continue
        labels = [class_labels(x.values, meanings_of(x)) for x in pair]
        lookup_of(pair[1], list(one_spelling(labels[0].tolist()).values()))  # raises where they cannot meet
        for found, text in zip(texts, labels, strict=True):
            found[name] = ("site", text)
    return (
        dataclasses.replace(first, data=first.data.assign(texts[0])),
        dataclasses.replace(second, data=second.data.assign(texts[1])),
    )


def _flux_sites(section: FluxSites, config: ComparisonConfig) -> ComparisonSources:
    from gridcal.ingest.comparison_sites import comparison_site_cube
    from gridcal.ingest.flux_sites import CAVEATS, SOURCES

    cube = comparison_site_cube(
        section.data_dir, sites=section.sites, fapar=section.fapar, moisture=section.moisture, lag=config.model.lag
    )
    uncertainty = "gpp_unc" if section.weights == "uncertainty" else None
    data = cube.data if uncertainty else cube.data.drop_vars("gpp_unc")
    return ComparisonSources(data, list(cube.feature_names), {"gpp": "gpp_obs"}, uncertainty, list(SOURCES), list(CAVEATS))


def _cube(section: CubeSites, model: ProcessModel) -> ComparisonSources:
    cube = open_cube(section.source)
    cube.require([*model.forcing, *section.observed.values()])
    if cube.space_dims != ("site",):
        raise InputError(f"the cube lies over {cube.space_dims}, a comparison needs sites", "Give a cube over (time, site)")
    data = cube.data.load()
    # a bare store names its variables in no order
    features = list(section.features or (cube.feature_names if cube.entry is not None else sorted(cube.feature_names)))
    coords: dict[str, Any] = {}
    for name, source in (("pft", section.pft), ("climate", section.climate)):
        if source not in data.variables:
            raise InputError(f"the cube lacks {source!r}, the sites' {name}", f"Name another variable: data.{name}")
        texts = class_labels(data[source].values, meanings_of(data[source])).tolist()
        main = [t if t.isdigit() else t[:1] for t in texts]  # the letter of a class; a number says nothing by its first digit
        coords[name] = ("site", np.array(main if name == "climate" else texts, dtype=object))
        if name == "climate":
            coords["climate_class"] = ("site", np.array(texts, dtype=object))
    inputs = [] if cube.entry is None else [describe(cube.entry)]
    return ComparisonSources(data.assign_coords(coords), features, dict(section.observed), section.uncertainty, inputs, [])
