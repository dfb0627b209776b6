"""The verb ``evaluate``: scores of simulated against observed cubes by pixel, time scale, season and period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from gridcal.cube import Cube
from gridcal.cube.agreement import SPACE, check_same
from gridcal.cube.meeting import in_units_of
from gridcal.errors import ConfigError, InputError
from gridcal.kernels.series.metrics import DISO_VARIANTS, METRICS
from gridcal.vocabulary.calendars import dates_of
from gridcal.vocabulary.given import need_dataset
from gridcal.vocabulary.periods import (
    SEASONS,
    days_between,
    in_season,
    period_index,
    period_length,
    period_middle,
    scale_name,
    season_name,
)

_UNITS = {"rmse": True, "me": True, "mae": True}
_LONG = {
    "r": "Pearson correlation",
    "r2": "squared Pearson correlation",
    "rmse": "root mean square error",
    "me": "mean error, simulated minus observed",
    "mae": "mean absolute error",
    "nrmse": "root mean square error over the mean observation",
    "nse": "Nash-Sutcliffe efficiency",
    "kge": "Kling-Gupta efficiency (2009)",
    "diso": "distance between indices of simulation and observation",
    "n": "pairs of values",
}


def evaluate(
    sim: xr.Dataset,
    obs: Any,
    *,
    variables: Mapping[str, str] | None = None,
    scales: Sequence[str] = ("8-day",),
    seasons: Sequence[str] | None = None,
    periods: Mapping[str, tuple[str, str] | str] | None = None,
    min_fraction: float = 0.5,
    diso_variant: str = "hu2019",
) -> xr.Dataset:
    """Score simulations.

    Parameters
    ----------
    sim : Dataset, dims (time, *space)
        Simulated variables.
    obs : Dataset or Cube
        Observed variables on the same coordinates.
    variables : mapping, optional
        Simulated name to observed name; ``{"gpp": "gpp_obs"}`` style pairs found by name without it.
    scales : sequence of str
        Time scales: daily, 8-day, weekly, monthly, yearly. A period's two means are over the same days, those with both
        values.
    seasons : sequence of str
        Of all, growing season (May to September; November to March at southern latitudes), rest of the year; all three where
        the observations or the simulation know their latitude (``lat``), ``all`` alone elsewhere. At the yearly scale a season
        is the mean over its days of the year.
    periods : mapping, optional
        Name to (first, last) date, or to the name of a boolean variable of `obs` that is true on its days; one period
        ``all`` without it.
    min_fraction : float
        Share of a period's days that must have both values.
    diso_variant : {"hu2019", "printed"}
        Definition of DISO, see :func:`gridcal.kernels.series.metrics.scores`.

    Returns
    -------
    Dataset, dims (variable, scale, season, period, *space)
        r, r2, rmse, me, mae, nrmse, nse, kge, diso and n; lazy where the input is.

    Raises
    ------
    InputError
        If a variable is missing or the coordinates differ (nothing is shrunk to what both share), a pair's units measure
        different things, or a season is asked for where no latitude stands.
    ConfigError
        If a scale, season or period is unknown.
    """
    observed = obs.data if isinstance(obs, Cube) else obs
    need_dataset(sim, "the simulation")
    need_dataset(observed, "observations")
    pairs = dict(variables) if variables is not None else _pairs(sim, observed)
    for a, b in pairs.items():
        if a not in sim:
            raise InputError(f"the simulation lacks the variable {a!r}", f"It holds: {', '.join(map(str, sim.data_vars))}")
        if b not in observed:
            raise InputError(
                f"the observations lack the variable {b!r}", f"They hold: {', '.join(map(str, observed.data_vars))}"
            )
    check_same(sim, observed, ("time", *SPACE))
    time = dates_of(sim["time"].to_index())
    scales = [scale_name(s) for s in scales]
    lat = _latitude(sim, observed)
    if seasons is None:
        seasons = SEASONS if lat is not None else ("all",)
    seasons = [season_name(s) for s in seasons]
    if lat is None and set(seasons) != {"all"}:
        raise InputError(
            "a season is asked for, but no latitude says which months it has",
            "Add it: obs.assign_coords(lat=...), or ask for seasons=('all',)",
        )
    if diso_variant not in DISO_VARIANTS:
        raise ConfigError(f"unknown diso_variant {diso_variant!r}", f"Use one of: {', '.join(DISO_VARIANTS)}")
    if not 0.0 <= min_fraction <= 1.0:
        raise ConfigError(f"min_fraction = {min_fraction} is no share of a period's days", "Give a number from 0 to 1")
    spans = dict(periods) if periods else {"all": (str(time[0].date()), str(time[-1].date()))}
    masks = {name: period_mask(name, span, time, observed) for name, span in spans.items()}
    blocks, units = [], {}
    for a, b in pairs.items():
        units[a] = str(sim[a].attrs.get("units", observed[b].attrs.get("units", "1")))
        seen = in_units_of(observed[b], a, units[a], role=f"variable {b!r}") if "units" in sim[a].attrs else observed[b]
        blocks.append(_score_variable(sim[a], seen, lat, masks, scales, seasons, min_fraction, diso_variant))
    out = xr.concat(blocks, dim=pd.Index(list(pairs), name="variable"))
    result = xr.Dataset({name: out.isel(metric=k, drop=True) for k, name in enumerate((*METRICS, "n"))})
    shared = set(units.values())
    for name in result.data_vars:
        own = next(iter(shared)) if len(shared) == 1 else "see variable_units"
        result[name].attrs = {"long_name": _LONG[str(name)], "units": own if _UNITS.get(str(name)) else "1"}
    if len(shared) > 1:
        text = np.array([units[a] for a in pairs], dtype=object)
        result = result.assign_coords(variable_units=("variable", text, {"long_name": "units of rmse, me and mae"}))
    result["diso"].attrs["comment"] = f"variant {diso_variant}"
    labels = [c for c in observed.coords if c not in result.coords and set(observed[c].dims) <= set(SPACE)]
    return result.assign_coords({c: observed[c] for c in labels if observed[c].dims})


def _latitude(*data: xr.Dataset) -> xr.DataArray | None:
    """Latitude, wherever it stands: a coordinate or a variable of the observations or the simulation; None if nowhere."""
    for ds in reversed(data):
        if "lat" in ds.variables and set(ds["lat"].dims) <= set(SPACE):
            return ds["lat"].reset_coords(drop=True)
    return None


def _pairs(sim: xr.Dataset, obs: xr.Dataset) -> dict[str, str]:
    found = {str(v): f"{v}_obs" for v in sim.data_vars if f"{v}_obs" in obs}
    if not found:
        raise InputError(
            "no observed variable fits the simulated ones by name",
            'Say which belong together: variables={"gpp": "gpp_obs"}',
        )
    return found


def period_mask(name: str, span: tuple[str, str] | str, time: pd.DatetimeIndex, obs: xr.Dataset) -> Any:
    """Days of a named period: a boolean variable of `obs`, or two dates.

    Raises
    ------
    ConfigError
        If the variable is not there, or no day lies between the dates.
    """
    if isinstance(span, str):
        if span not in obs:
            raise ConfigError(f"period {name!r} names the variable {span!r}, which is not there", "Give two dates")
        return obs[span]
    return xr.DataArray(days_between(time, *span, what=f"period {name!r}"), dims="time")


def _score_variable(
    sim: xr.DataArray,
    obs: xr.DataArray,
    lat: xr.DataArray | None,
    masks: Mapping[str, xr.DataArray],
    scales: Sequence[str],
    seasons: Sequence[str],
    min_fraction: float,
    diso_variant: str,
) -> xr.DataArray:
    space = [d for d in sim.dims if d != "time"]
    sim, obs = sim.reset_coords(drop=True), obs.transpose(*sim.dims).reset_coords(drop=True)
    time = sim["time"].to_index()
    spans = xr.concat([m.reset_coords(drop=True) for m in masks.values()], dim="_period", join="override")
    spans = spans.transpose("_period", "time", ...)
    south = xr.DataArray(False) if lat is None else (lat < 0.0).reset_coords(drop=True)
    if sim.chunks is not None or obs.chunks is not None:
        model = sim if sim.chunks is not None else obs
        sim, obs = (
            sim.chunk({d: model.chunksizes[d] for d in sim.dims}),
            obs.chunk({d: model.chunksizes[d] for d in obs.dims}),
        )
        sim, obs = sim.chunk(time=-1), obs.chunk(time=-1)
        spans = spans.chunk({d: model.chunksizes[d] for d in spans.dims if d in space} | {"time": -1, "_period": -1})
        south = south.chunk({d: model.chunksizes[d] for d in south.dims})
    spec = {
        "time": time,
        "scales": tuple(scales),
        "seasons": tuple(seasons),
        "min_fraction": min_fraction,
        "diso_variant": diso_variant,
    }
    sizes = {"metric": len(METRICS) + 1, "scale": len(scales), "season": len(seasons), "period": len(masks)}
    out = xr.apply_ufunc(
        _score_block,
        sim,
        obs,
        spans,
        south,
        kwargs=spec,
        input_core_dims=[["time"], ["time"], ["_period", "time"], []],
        output_core_dims=[list(sizes)],
        dask="parallelized",
        output_dtypes=[np.float64],
        dask_gufunc_kwargs={"output_sizes": sizes},
        join="exact",
    )
    out = out.transpose(*sizes, *space)
    return out.assign_coords(metric=[*METRICS, "n"], scale=list(scales), season=list(seasons), period=list(masks))


def _score_block(
    sim: Any,
    obs: Any,
    spans: Any,
    south: Any,
    time: pd.DatetimeIndex,
    scales: tuple[str, ...],
    seasons: tuple[str, ...],
    min_fraction: float,
    diso_variant: str,
) -> Any:
    """Scores of one block: sim and obs (*space, T), spans (*space or nothing, period, T), south (*space)."""
    from gridcal.kernels.series.aggregate import segment_mean
    from gridcal.kernels.series.metrics import scores

    space = sim.shape[:-1]
    days = sim.shape[-1]
    both = np.isfinite(sim) & np.isfinite(obs)
    a = np.ascontiguousarray(np.where(both, sim, np.nan).reshape(-1, days).T, dtype=np.float64)
    b = np.ascontiguousarray(np.where(both, obs, np.nan).reshape(-1, days).T, dtype=np.float64)
    n = a.shape[1]
    n_spans = spans.shape[-2]
    inside = np.broadcast_to(spans, (*space, n_spans, days)).reshape(n, n_spans, days) if n else np.empty((0, n_spans, days))
    southern = np.broadcast_to(south, space).reshape(n)
    out = np.full((n, len(METRICS) + 1, len(scales), len(seasons), n_spans), np.nan)
    for i, scale in enumerate(scales):
        labels, starts = period_index(time, scale)
        needed = np.maximum(min_fraction * period_length(starts, scale), 1.0)[:, None]
        middle = period_middle(starts, scale)
        for k in range(n_spans):
            use = inside[:, k, :].T.astype(bool)
            x, count = segment_mean(np.where(use, a, np.nan), labels, starts.size, return_count=True)
            y = segment_mean(np.where(use, b, np.nan), labels, starts.size)
            good = count >= needed
            x, y = np.where(good, x, np.nan), np.where(good, y, np.nan)
            for j, season in enumerate(seasons):
                if scale == "yearly" and season != "all":
                    # a year lies in no season: its season's days are averaged
                    pair = _of_season(a, b, use, time, season, southern, min_fraction)
                else:
                    north = in_season(middle, season)[:, None]
                    other = in_season(middle, season, southern=True)[:, None]
                    chosen = np.where(southern[None, :], other, north)
                    pair = np.where(chosen, x, np.nan), np.where(chosen, y, np.nan)
                found = scores(*pair, diso_variant)
                for m, name in enumerate((*METRICS, "n")):
                    out[:, m, i, j, k] = found[name]
    return out.reshape(*space, *out.shape[1:])


def _of_season(
    a: Any, b: Any, use: Any, time: pd.DatetimeIndex, season: str, southern: Any, min_fraction: float
) -> tuple[Any, Any]:
    """Means of each year over the days of a season, simulated and observed, (years, n); NaN with too few of its days."""
    from gridcal.kernels.series.aggregate import segment_mean

    labels, starts = period_index(time, "yearly")
    every = pd.date_range(starts[0], f"{starts[-1].year}-12-31")
    of_year = every.year.to_numpy() - starts[0].year
    whole = [np.bincount(of_year, weights=in_season(every, season, southern=s)) for s in (False, True)]
    size = np.where(southern[None, :], whole[1][np.unique(of_year), None], whole[0][np.unique(of_year), None])
    size = size[starts.year.to_numpy() - starts[0].year]
    days = np.where(southern[None, :], in_season(time, season, southern=True)[:, None], in_season(time, season)[:, None]) & use
    x, count = segment_mean(np.where(days, a, np.nan), labels, starts.size, return_count=True)
    y = segment_mean(np.where(days, b, np.nan), labels, starts.size)
    good = count >= np.maximum(min_fraction * size, 1.0)
    return np.where(good, x, np.nan), np.where(good, y, np.nan)


def summarise(skill: xr.Dataset, metrics: Sequence[str] = ("r", "rmse", "me", "nse", "diso")) -> pd.DataFrame:
    """Medians over space as a table, one row a combination of the other dimensions."""
    space = [d for d in SPACE if d in skill.dims]
    table = skill[list(metrics)].median(space, skipna=True) if space else skill[list(metrics)]
    table = table.reset_coords(drop=True)
    return table.to_dataframe().reset_index() if table.dims else pd.DataFrame([{m: float(table[m]) for m in metrics}])
