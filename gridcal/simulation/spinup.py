"""Spin-up: run a model over one year of forcing again and again, and keep the last state."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from gridcal.cube import Cube
from gridcal.cube.agreement import places_of
from gridcal.cube.calendar import with_calendar
from gridcal.cube.dataset import need_cube
from gridcal.cube.identity import of_data, of_mask
from gridcal.errors import ConfigError, InputError
from gridcal.process.identity import of_model
from gridcal.process.model import ProcessModel
from gridcal.process.parameter_units import in_units_of
from gridcal.simulation.bounds import lazy_parameters, tell_outside_of
from gridcal.simulation.door import look_at_block
from gridcal.simulation.over_cube import identity_of, model_inputs
from gridcal.vocabulary.fingerprint import marks

#: share of the years, and passes of the soil carbon a day, of the accelerated spin-up (IBIS: to year 75 and 112 of 150)
ACCELERATION = ((75.0 / 150.0, 40.0), (112.0 / 150.0, 10.0), (1.0, 1.0))


def soil_speed(years: int, accelerate: bool) -> np.ndarray:
    """Passes of the soil carbon a day in each year of a spin-up, shape (years,)."""
    if not accelerate:
        return np.ones(years)
    done = (np.arange(years) + 0.5) / years
    return np.array([next(passes for share, passes in ACCELERATION if x <= share) for x in done])


def spin_up(
    cube: Cube,
    model: ProcessModel,
    theta: xr.Dataset | Mapping[str, Any] | None = None,
    *,
    years: int = 150,
    forcing_year: int | None = None,
    accelerate: bool = True,
) -> xr.Dataset:
    """State of a model after many years under one year's weather.

    Parameters
    ----------
    cube : Cube
        Daily forcing and site constants.
    model : ProcessModel
        The model. IBIS with ``vegetation="dynamic"`` grows its forest; its state starts the other variants too.
    theta : Dataset or mapping, optional
        Parameters as in :func:`gridcal.simulate`.
    years : int
        How often the year is run, from a cold start.
    forcing_year : int, optional
        Calendar year of the forcing; the first complete one without it.
    accelerate : bool
        Run the soil carbon 40 times a day in the first half of the years and 10 times up to three quarters (models with the
        site constant ``soil_speed``).

    Returns
    -------
    Dataset
        One variable a state, over the cube's space, with units; pass it to ``simulate(..., state=)``. Weather draws repeat
        each year.

    Raises
    ------
    InputError
        If the cube holds no complete year or not the one asked for, or an impossible value.
    ModelError
        If forcing lies outside the model's domain.
    ConfigError
        If `years` is not positive or the model reads hourly forcing.
    """
    if years < 1:
        raise ConfigError(f"years = {years}", "Give at least 1")
    part, year = year_of(cube, model, forcing_year)
    theta = in_units_of(theta, model.parameters)
    inputs, _ = model_inputs(part, model, theta)
    speed = tuple(soil_speed(years, accelerate))
    found = xr.apply_ufunc(
        functools.partial(_spin_block, model=model, speed=speed, lazy=lazy_parameters(theta, model.parameters, part.mask)),
        *inputs,
        input_core_dims=[["time"] if "time" in x.dims else [] for x in inputs],
        output_core_dims=[["state"]],
        join="exact",
        dask="parallelized",
        output_dtypes=[np.float64],
        dask_gufunc_kwargs={"output_sizes": {"state": len(model.state)}},
        keep_attrs=False,
    )
    out = state_dataset(found, model, part)
    seen = {"model": of_model(model), "years": years, "year": year, "speed": speed, "defaults": model.parameters}
    seen |= {"theta": identity_of(theta, model), "cube": of_data(part.data, [*model.forcing, *model.site])}
    seen |= of_mask(part.data, part.mask_name)
    out.attrs = {
        "model": model.name, "model_version": model.version, "years": years, "forcing_year": year,
        **marks(seen),
    }  # fmt: skip
    return out


def year_of(cube: Cube, model: ProcessModel, forcing_year: int | None) -> tuple[Cube, int]:
    """The cube's days of one complete calendar year, checked for what the model reads; and the year."""
    need_cube(cube)
    if model.steps > 1:
        raise ConfigError(
            f"model {model.name!r} reads hourly forcing", "Spin up the variant with daily forcing: the state fits both"
        )
    cube = with_calendar(cube, model.forcing)
    cube.require(model.forcing)
    cube.require_daily()
    days = pd.DatetimeIndex(cube.data.indexes["time"])
    numbers, lengths = np.unique(days.year, return_counts=True)
    whole = [int(y) for y, n in zip(numbers, lengths, strict=True) if n >= 365]
    year = forcing_year if forcing_year is not None else (whole[0] if whole else None)
    if year is None or year not in whole:
        raise InputError(
            f"the cube holds no complete year {'' if forcing_year is None else forcing_year}".rstrip(),
            f"It has days from {days[0].date()} to {days[-1].date()}; complete years: {', '.join(map(str, whole)) or 'none'}",
        )
    return Cube(cube.data.sel(time=str(year)), cube.feature_names, cube.mask_name, cube.entry), year


def state_dataset(found: xr.DataArray, model: ProcessModel, cube: Cube) -> xr.Dataset:
    """One variable a state, with units, over a cube's space, of an array with the dimension ``state``."""
    out = xr.Dataset()
    for k, entry in enumerate(model.state):
        out[entry.name] = (
            found.isel(state=k).transpose(*cube.space_dims).assign_attrs(units=entry.units, long_name=entry.description)
        )
    return out.assign_coords(places_of(cube.data))


@dataclasses.dataclass(frozen=True)
class Lanes:
    """A block of pixels as a model runs it: series (T, n), site constants (S, n), parameters (P, n) of the usable ones."""

    shape: tuple[int, ...]
    use: np.ndarray
    series: list[np.ndarray]
    site: np.ndarray
    theta: np.ndarray

    @classmethod
    def of(cls, arrays: tuple[Any, ...], model: ProcessModel) -> Lanes:
        """From forcing (*space, T), site constants, parameters and mask (*space)."""
        nf, ns = len(model.forcing), len(model.site)
        forcing = [np.asarray(x) for x in arrays[:nf]]
        length = forcing[0].shape[-1]
        shape = np.broadcast_shapes(*(x.shape[:-1] for x in forcing), *(np.shape(x) for x in arrays[nf:]))
        n = int(np.prod(shape, dtype=int))
        columns = [np.broadcast_to(x, (*shape, length)).reshape(n, length).T for x in forcing]
        flat = np.array([np.broadcast_to(np.asarray(x, dtype=float), shape).reshape(n) for x in arrays[nf:-1]]).reshape(-1, n)
        use = np.broadcast_to(np.asarray(arrays[-1], dtype=bool), shape).reshape(n)
        use = use & np.isfinite(flat).all(axis=0)
        for x in columns:
            use = use & ~np.isnan(x).any(axis=0)
        return cls(shape, use, [np.ascontiguousarray(x[:, use]) for x in columns], flat[:ns, use], flat[ns:, use])

    def spread(self, found: np.ndarray) -> np.ndarray:
        """Values (K, usable) as (*space, K), NaN where a pixel is left out."""
        result = np.full((self.use.size, found.shape[0]), np.nan)
        result[self.use] = found.T
        return result.reshape(*self.shape, found.shape[0])


def _spin_block(*arrays: Any, model: ProcessModel, speed: tuple[float, ...], lazy: tuple[str, ...]) -> np.ndarray:
    """One block of :func:`spin_up`."""
    lanes = Lanes.of(arrays, model)
    if not lanes.use.any():
        return lanes.spread(np.empty((len(model.state), 0)))
    look_at_block(model, lanes.series)
    tell_outside_of(model.parameters, lazy, lanes.theta)
    site, names = lanes.site.copy(), list(model.site)
    state = None
    for passes in speed:
        if "soil_speed" in names:
            site[names.index("soil_speed")] = passes
        _, state = model.run(lanes.theta, lanes.series, site, state, outputs=())
    return lanes.spread(np.asarray(state))
