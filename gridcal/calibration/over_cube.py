"""The verb ``calibrate``: any model, any blocks, any method, at every sample of a cube, lazily."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from gridcal.calibration.layout import Layout
from gridcal.calibration.neighbours import Neighbours
from gridcal.calibration.observations.composites import spread_composites
from gridcal.calibration.observations.observed import Observed
from gridcal.calibration.observations.standard_errors import check_errors, look_at_errors
from gridcal.calibration.observations.target_units import known_ranges, with_units_of
from gridcal.calibration.pixel import calibrate_pixel, pixel_number
from gridcal.calibration.target import Block, Target
from gridcal.cube import Cube
from gridcal.cube.agreement import check_same
from gridcal.cube.calendar import with_calendar
from gridcal.cube.columns import columns_of
from gridcal.cube.dataset import need_cube
from gridcal.cube.identity import of_data, of_mask
from gridcal.cube.ranges import check_values
from gridcal.errors import ConfigError, InputError
from gridcal.process.identity import of_model
from gridcal.process.model import ProcessModel
from gridcal.process.parameter_units import in_units_of
from gridcal.simulation.bounds import lazy_parameters, look_at_parameters, tell_outside_of
from gridcal.simulation.door import look_at_block, look_before
from gridcal.simulation.over_cube import check_state, identity_of, state_in_units
from gridcal.vocabulary.fingerprint import marks
from gridcal.vocabulary.given import need_dataset
from gridcal.vocabulary.periods import days_between, period_index


def calibrate(
    cube: Cube,
    model: ProcessModel,
    blocks: Sequence[Block],
    method: Any = None,
    *,
    seed: int = 0,
    period: tuple[str, str] | str | None = None,
    start: xr.Dataset | None = None,
    state: xr.Dataset | None = None,
    chunk: int | None = None,
    warm_start: bool = False,
    timing: bool = False,
) -> xr.Dataset:
    """Calibrate a model at every sample pixel or site.

    Parameters
    ----------
    cube : Cube
        Samples (time, pixel) or sites (time, site): forcing, observations, site constants.
    model : ProcessModel
        The model.
    blocks : sequence of Block
        Parameters and targets, calibrated in this order; a later block sees the earlier ones' estimates.
    method : object or "auto", optional
        ``MASM(...)``, ``AdaptiveMCMC(...)``, ``CMAES(...)`` or anything with ``run(problem, seed) -> PixelResult``; ``MASM()``
        by default. ``"auto"`` measures at the first usable pixel whether a chain on the model itself would be cheaper than a
        surrogate, and takes the faster of ``MASM()`` and ``AdaptiveMCMC()`` everywhere; the choice stands in the attribute
        ``method``.
    seed : int
        Root of all random streams. A pixel's stream depends on the seed and the pixel alone.
    period : (str, str) or str, optional
        First and last date of the calibration period, or the name of a boolean variable of the cube that is true on its
        days. Observations outside it are not seen. All by default.
    start : Dataset, optional
        Values of parameters no block fits, one a pixel; defaults otherwise.
    state : Dataset, optional
        State of the day before the first that every run starts from, as :func:`gridcal.spin_up` and
        :func:`gridcal.steady_state` return; a cold start without it. A candidate relaxes from it in the days before the first
        observation.
    chunk : int, optional
        Pixels in a task; the cube's own chunks, or 8 where it is in memory, without it.
    warm_start : bool
        Start the surrogate of a pixel from the nearest one finished before it in its task. This saves model runs and time;
        results then depend on the tasks' pixels, within Monte-Carlo error.
    timing : bool
        Store processor seconds by block; they are the only variable that differs from run to run.

    Returns
    -------
    Dataset
        Lazy. For each fitted parameter ``p``: the posterior mean ``p``, ``p_median``, ``p_map``, ``p_sd``, ``p_q05``,
        ``p_q95``, ``p_edge_hit`` over the pixel, and ``p_draws`` over (pixel, chain, draw) if the method samples; each other
        parameter at its value; ``p_edge_lower`` and ``p_edge_upper`` by bound. Per block: cost, cost_best, cost_mean, n_runs,
        n_failed, rhat, gelman_rubin, ess, acceptance, surrogate_rmse and its trace, ess_ratio, khat, block_status, and
        ``flags``, a CF variable of bits (:class:`~gridcal.calibration.result.Flag`). Per pixel: ``diso``, ``nse``, ``n_obs``
        (worst block) and ``status``, a CF flag variable: a bad pixel is a code and NaN.

    Raises
    ------
    InputError
        If the cube lacks a variable or has no single sample dimension, or `start` or `state` holds other samples.
    ConfigError
        If a block does not fit the model.
    """
    need_cube(cube)
    if method is None:
        from gridcal.calibration.masm.method import MASM

        method = MASM()
    blocks = tuple(blocks)
    if not blocks:
        raise ConfigError("no block to calibrate", "Pass at least one Block")
    fitted: list[str] = []
    for block in blocks:
        block.check(model)
        again = [n for n in block.fit if n in fitted]
        if again:
            raise ConfigError(f"parameter {again[0]!r} stands in two blocks", "Fit each parameter in one block")
        fitted += block.fit
    space = tuple(cube.space_dims)
    if len(space) != 1:
        raise InputError(
            f"calibration runs on samples, but the cube has the space dimensions {space}",
            "Select pixels first: cube.sel(pixel=sample_pixels(cube, n=..., seed=...))",
        )
    dim = space[0]
    if model.steps > 1:
        raise InputError(
            f"model {model.name!r} reads {model.steps} rows of forcing a day, which calibration does not",
            "Calibrate the model with daily forcing",
        )
    cube = with_calendar(cube, model.forcing)
    targets = [t for b in blocks for t in b.targets]
    errors = [t.sigma for t in targets if isinstance(t.sigma, str)]
    names = list(dict.fromkeys([*model.forcing, *(str(t.against) for t in targets), *errors]))
    extra = [period] if isinstance(period, str) else []
    cube.require([*names, *extra])
    cube.require_daily()
    for name in errors:
        if "time" not in cube.data[name].dims:
            raise InputError(f"errors {name!r} have no time dimension", "Give one a day, or one number: Target(..., sigma=0.5)")
    given = cube
    cube = with_units_of(cube, model, targets)
    look_before(cube, model, stacklevel=3)
    places = [n for n in model.site if n in cube.data]
    lacking = [n for n in model.site if n not in places and n not in model.site_default]
    if lacking:
        raise InputError(
            f"the cube lacks the site constant {lacking[0]!r} that model {model.name!r} needs ({model.site[lacking[0]]})",
            "Add it as a static variable of the cube",
        )
    held = cube.data.reset_coords([n for n in places if n in cube.data.coords and n not in cube.data.dims])
    data = held[[*names, *extra, *places]].reset_coords(drop=True)
    if cube.mask is not None:
        data["_use"] = cube.mask.reset_coords(drop=True)
    if start is not None:
        need_dataset(start, "start")
        start = in_units_of(start, model.parameters)
        check_same(cube.data, start, (dim,))
        look_at_parameters(start, model.parameters, cube.mask, stacklevel=3)
    for name in model.parameters.names:
        if start is not None and name in start:
            data[f"_start_{name}"] = start[name].reset_coords(drop=True)
    if state is not None:
        check_state(state, model)
        check_same(cube.data, state, (dim,))
        state = state_in_units(state, model)
        data = data.assign({f"_state_{s.name}": state[s.name].reset_coords(drop=True) for s in model.state})
    if warm_start:
        for name in ("lat", "lon"):
            if name in cube.data.variables and cube.data[name].dims == (dim,):
                data[f"_place_{name}"] = cube.data[name].reset_coords(drop=True)
    if dim not in data.coords:
        data = data.assign_coords({dim: np.arange(data.sizes[dim])})
    chunks = data.chunksizes.get(dim)
    data = data.chunk({dim: chunk or chunks or 8, "time": -1})
    days = data["time"].to_index()
    labels = [[period_index(days, t.every)[0] for t in b.targets] for b in blocks]
    inside = np.ones(days.size, dtype=bool)
    if isinstance(period, tuple):
        inside = days_between(days, *period, what="the calibration period")
    look_at_errors(given, targets, cube.data[extra[0]] > 0 if extra else xr.DataArray(inside, dims="time"))
    if isinstance(method, str):
        if method != "auto":
            raise ConfigError(f"unknown method {method!r}", "Give a method such as MASM(), or 'auto'")
        method = _measured_method(data, model, blocks, labels, inside, dim, seed)
    layout = Layout(model, blocks, method, timing)
    spec = {
        "model": model,
        "blocks": blocks,
        "method": method,
        "seed": seed,
        "period": extra[0] if extra else None,
        "inside": inside,
        "labels": labels,
        "dim": dim,
        "layout": layout,
        "warm_start": warm_start,
        "lazy": lazy_parameters(start, model.parameters, cube.mask),
    }
    template = layout.template(data, dim)
    out = xr.map_blocks(_calibrate_block_of_pixels, data, kwargs={"spec": spec}, template=template)
    keep = [c for c in cube.data.coords if cube.data[c].dims == (dim,)]
    out = out.assign_coords({c: cube.data[c] for c in keep})
    seen = {
        "model": of_model(model),
        "parameters": model.parameters,
        "blocks": blocks,
        "warm_start": warm_start,
        "edc": [[c.name, c.description] for c in model.constraints if any(b.edc for b in blocks)],
        "method": [repr(method), getattr(type(method), "version", 0)],
        "seed": seed,
        "period": period,
        dim: [str(v) for v in data[dim].values],
        **({} if state is None else {"state": of_data(state, [s.name for s in model.state])}),
        **({} if start is None else {"start": identity_of(start, model)}),
        "cube": of_data(cube.data, [*names, *extra, *places]),
        **of_mask(cube.data, cube.mask_name),
    }
    out.attrs = {
        "stage": "calibrate",
        "model": model.name,
        "model_version": model.version,
        "method": repr(method),
        "seed": seed,
        "blocks": "; ".join(f"{', '.join(b.fit)} against {b.aim}" for b in blocks),
        **marks(seen),
    }
    return out


def _calibrate_block_of_pixels(data: xr.Dataset, spec: dict[str, Any]) -> xr.Dataset:
    """Calibrate the pixels of one chunk; a plain function, so that workers import the kernels themselves."""
    model: ProcessModel = spec["model"]
    blocks: tuple[Block, ...] = spec["blocks"]
    dim, layout = spec["dim"], spec["layout"]
    n = data.sizes[dim]
    out = layout.empty(data, dim)
    nearest = Neighbours(data) if spec["warm_start"] else None
    columns = {str(name): columns_of(data[name], n) for name in data.data_vars if "time" in data[name].dims}
    place = np.array(
        [np.broadcast_to(data[s].values if s in data else model.site_default.get(s, np.nan), n) for s in model.site]
    ).reshape(len(model.site), n)
    start = np.repeat(model.parameters.default[:, None], n, axis=1)
    for k, name in enumerate(model.parameters.names):
        if f"_start_{name}" in data:
            start[k] = data[f"_start_{name}"].values
    state = None
    if model.state and f"_state_{model.state[0].name}" in data:
        state = np.array([np.broadcast_to(data[f"_state_{s.name}"].values, n) for s in model.state], dtype=float)
    use = np.broadcast_to(data["_use"].values, n) if "_use" in data else np.ones(n, dtype=bool)
    tell_outside_of(model.parameters, spec["lazy"], start[:, use])
    targets = [t for b in blocks for t in b.targets]
    during = spec["inside"]
    ranges = known_ranges(model, targets)
    check_values({name: columns[name][during][:, use] for name in ranges}, ranges)
    days = pd.DatetimeIndex(data["time"].to_index())
    observed = {t: _observed_by(t, columns, days) for t in targets}
    scored = during[:, None] if spec["period"] is None else columns[spec["period"]] > 0
    for t, (values, sigma) in observed.items():
        if sigma is not None:
            check_errors(t, np.where(scored, values, np.nan)[:, use], sigma[:, use])
    forcing = [columns[f][:, use] for f in model.forcing]
    look_at_block(model, [x[:, np.isfinite(x[:1]).all(axis=0)] for x in forcing])
    for i in range(n):
        inside = spec["inside"]
        if spec["period"] is not None:
            inside = columns[spec["period"]][:, i] > 0
        outcome = calibrate_pixel(
            model,
            blocks,
            spec["method"],
            [np.ascontiguousarray(columns[f][:, i : i + 1]) for f in model.forcing],
            place[:, i : i + 1],
            [
                [_series_of(*observed[t], label, i, inside) for t, label in zip(b.targets, ls, strict=True)]
                for b, ls in zip(blocks, spec["labels"], strict=True)
            ],
            start[:, i],
            bool(use[i]),
            spec["seed"],
            pixel_number(data[dim].values[i]),
            None if nearest is None else nearest.of(i),
            None if state is None else state[:, i : i + 1],
        )
        layout.store(out, i, outcome)
        if nearest is not None:
            nearest.add(i, outcome)
    return out


def _observed_by(target: Target, columns: dict[str, np.ndarray], days: pd.DatetimeIndex) -> tuple[np.ndarray, Any]:
    """Daily observations of a target, (T, n), and their errors where the cube holds them."""
    sigma = columns[target.sigma] if isinstance(target.sigma, str) else None
    values = spread_composites(target, days, columns[str(target.against)], stacklevel=4)
    return values, None if sigma is None else spread_composites(target, days, sigma, stacklevel=4)


def _series_of(values: np.ndarray, sigma: np.ndarray | None, label: np.ndarray, i: int, inside: np.ndarray) -> Observed:
    """What a target has of pixel `i` within the period."""
    return Observed(np.where(inside, values[:, i], np.nan), label, None if sigma is None else sigma[:, i])


def _measured_method(
    data: xr.Dataset,
    model: ProcessModel,
    blocks: tuple[Block, ...],
    labels: list[Any],
    inside: np.ndarray,
    dim: str,
    seed: int,
) -> Any:
    """The cheaper of surrogate and direct chain, measured at the first pixel that can be calibrated."""
    from gridcal.calibration.mcmc import AdaptiveMCMC, Probe

    for i in range(data.sizes[dim]):
        one = data.isel({dim: slice(i, i + 1)}).load()
        probe = Probe()
        spec = {"model": model, "blocks": blocks, "method": probe, "seed": seed, "period": None, "inside": inside}
        spec |= {"labels": labels, "dim": dim, "layout": Layout(model, blocks, probe), "warm_start": False, "lazy": ()}
        _calibrate_block_of_pixels(one, spec)
        if probe.measured:
            return probe.choice()
    return AdaptiveMCMC()
