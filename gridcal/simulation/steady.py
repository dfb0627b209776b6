"""The exact steady state of models that declare how it is found: some years of running instead of hundreds.

The pools that feed back on the fluxes are cycled to their fixed point; the slow ones then change by an affine map of
themselves over the year, whose fixed point is a linear system.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from gridcal.cube import Cube
from gridcal.cube.identity import of_data, of_mask
from gridcal.errors import ConfigError
from gridcal.process.identity import of_model
from gridcal.process.model import ProcessModel, SteadyState
from gridcal.process.parameter_units import in_units_of
from gridcal.simulation.bounds import lazy_parameters, tell_outside_of
from gridcal.simulation.door import look_at_block
from gridcal.simulation.over_cube import identity_of, model_inputs
from gridcal.simulation.spinup import Lanes, state_dataset, year_of
from gridcal.vocabulary.fingerprint import marks

UNIT = 1.0e4
"""Size of the unit vectors that the affine map is read off with, in the pools' unit: rounding then stays below 1e-11."""
PLAIN_AFTER = 25
"""Years after which acceleration is given up: the yearly map jumps where the day on which the canopy is full moves."""


OVERSHOT = (1.0, 10.0)
"""How much larger than the year before a change may be after a leap, for depth 1 and for more (whose steps are no descent)."""


def steady_state(
    cube: Cube,
    model: ProcessModel,
    theta: xr.Dataset | Mapping[str, Any] | None = None,
    *,
    forcing_year: int | None = None,
    tolerance: float = 3.0e-7,
    max_years: int = 400,
) -> xr.Dataset:
    """State of a model on 1 January once a repeated year changes it no more.

    Parameters
    ----------
    cube : Cube
        Daily forcing and site constants.
    model : ProcessModel
        A model with ``steady``: DALEC, IBIS-DALEC.
    theta : Dataset or mapping, optional
        Parameters as in :func:`gridcal.simulate`.
    forcing_year : int, optional
        Calendar year of the forcing; the first complete one without it.
    tolerance : float
        Largest change of the fast pools together over a year, in their unit (gC m-2). What net ecosystem exchange is left in
        a year is of this size; with IBIS's hourly snow and ice, whose melting jumps, up to 1e-5 in some winters.
    max_years : int
        Years after which a pixel's cycle is given up.

    Returns
    -------
    Dataset
        One variable a state as from :func:`gridcal.spin_up`; ``spin_up_years``, the years the model was run;
        ``cycle_change``, what the fast pools changed by in the last of them; and ``steady``, 1 where that is below
        `tolerance`.

    Raises
    ------
    ConfigError
        If the model declares no steady state, or an option is out of range.
    InputError
        If the cube holds no complete year or not the one asked for, or an impossible value.
    ModelError
        If forcing lies outside the model's domain.

    Notes
    -----
    The cycle of the fast pools is found by running years and extrapolating with the last changes (Anderson's method; of
    depth 1 for DALEC, of depth 3 and together with soil water and heat for IBIS-DALEC), undone where it overshoots or turns a
    pool negative. Years needed for DALEC with parameters drawn from all of its bounds: 6 in the median, 10 at the 90th
    percentile, up to a hundred.
    """
    if model.steady is None:
        raise ConfigError(
            f"model {model.name!r} declares no steady state",
            "Use gridcal.spin_up(cube, model, years=...), which runs the years",
        )
    if tolerance <= 0.0 or max_years < model.steady.least_years:
        raise ConfigError(
            f"tolerance = {tolerance:g}, max_years = {max_years}",
            f"Give a positive tolerance and at least {model.steady.least_years} years",
        )
    part, year = year_of(cube, model, forcing_year)
    theta = in_units_of(theta, model.parameters)
    inputs, space = model_inputs(part, model, theta)
    size = len(model.state) + 2
    lazy = lazy_parameters(theta, model.parameters, part.mask)
    found = xr.apply_ufunc(
        functools.partial(_steady_block, model=model, tolerance=tolerance, max_years=max_years, lazy=lazy),
        *inputs,
        input_core_dims=[["time"] if "time" in x.dims else [] for x in inputs],
        output_core_dims=[["state"]],
        join="exact",
        dask="parallelized",
        output_dtypes=[np.float64],
        dask_gufunc_kwargs={"output_sizes": {"state": size}},
        keep_attrs=False,
    )
    out = state_dataset(found, model, part)
    years, change = (found.isel(state=size - 2 + k).transpose(*space) for k in range(2))
    out["spin_up_years"] = years.assign_attrs(units="1", long_name="years the model was run")
    out["cycle_change"] = change.assign_attrs(units="gC m-2", long_name="change of the fast pools over the last year")
    out["steady"] = (change < tolerance).astype(np.int8).assign_attrs(units="1", long_name="1 where the cycle was found")
    seen = {
        "model": of_model(model),
        "year": year,
        "tolerance": tolerance,
        "max_years": max_years,
        "defaults": model.parameters,
    }
    seen |= {"theta": identity_of(theta, model), "cube": of_data(part.data, [*model.forcing, *model.site])}
    seen |= of_mask(part.data, part.mask_name)
    out.attrs = {
        "model": model.name, "model_version": model.version, "forcing_year": year, "tolerance": tolerance,
        **marks(seen),
    }  # fmt: skip
    return out


def _steady_block(*arrays: Any, model: ProcessModel, tolerance: float, max_years: int, lazy: tuple[str, ...]) -> np.ndarray:
    """One block: every state, the years run and the last year's change of the fast pools."""
    lanes = Lanes.of(arrays, model)
    n, size = lanes.theta.shape[1], len(model.state)
    if n == 0:
        return lanes.spread(np.empty((size + 2, 0)))
    look_at_block(model, lanes.series)
    tell_outside_of(model.parameters, lazy, lanes.theta)
    rule = model.steady
    assert rule is not None
    state, years, change, given = _cycle(model, rule, lanes, tolerance, max_years)
    slow = _affine(model, rule, lanes, state, given)
    for k, name in enumerate(rule.slow):
        state[_row(model, name)] = slow[k]
    return lanes.spread(np.concatenate([state, years[None], change[None]]))


def _row(model: ProcessModel, name: str) -> int:
    return [s.name for s in model.state].index(name)


def _cycle(
    model: ProcessModel, rule: SteadyState, lanes: Lanes, tolerance: float, max_years: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Fixed point of the fast pools: the state (K, n) on 1 January, years, the last change, and what the replay is given.

    Each pixel is iterated for itself, so that its result does not depend on its neighbours.
    """
    n = lanes.theta.shape[1]
    rows = np.array([_row(model, name) for name in (*rule.fast, *rule.settling)])
    pools = slice(len(rule.fast))
    replay = rule.replay or model
    wanted = tuple(name for name in replay.forcing if name not in model.forcing)
    state = model.initial_state(lanes.theta, lanes.series, lanes.site)
    years, change = np.zeros(n), np.full(n, np.inf)
    given = {name: np.empty((lanes.series[0].shape[0], n)) for name in wanted}
    # the last starts and where they led, newest first
    before = np.full((rule.depth, 2, len(rows), n), np.nan)
    leapt = np.zeros(n, dtype=bool)
    active = np.arange(n)
    for year in range(1, max_years + 1):
        start = state[np.ix_(rows, active)]
        outputs, end = model.run(
            lanes.theta[:, active],
            [x[:, active] for x in lanes.series],
            lanes.site[:, active],
            state[:, active],
            outputs=wanted,
        )
        arrived = end[rows]
        moved = np.abs(arrived - start)[pools].sum(axis=0)
        years[active] = year
        for name, values in zip(wanted, outputs, strict=True):
            given[name][:, active] = values
        overshot = leapt[active] & (moved > OVERSHOT[rule.depth > 1] * change[active])
        change[active] = moved
        state[:, active] = end
        done = ((moved < tolerance) & (year >= rule.least_years)) | ~np.isfinite(moved)
        following, jump = _extrapolated(
            before[..., active], start, arrived, len(rule.fast), plain=overshot | (year >= PLAIN_AFTER) | done
        )
        # after an overshoot go on from where the year before the leap had ended
        following = np.where(overshot & ~done, before[0, 1][:, active], following)
        state[np.ix_(rows, active)] = following
        leapt[active] = jump
        newest = np.concatenate([np.stack([start, arrived])[None], before[:-1][..., active]])
        before[..., active] = np.where(overshot, before[..., active], newest)
        active = active[~done]
        if active.size == 0:
            break
    return state, years, change, given


def _extrapolated(
    before: np.ndarray, start: np.ndarray, arrived: np.ndarray, fast: int, plain: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Next start of the iterated states (F, n) by Anderson's method, and where it differs from where the year led.

    `before` holds (start, arrival) of earlier years, (depth, 2, F, n), NaN where there was none. States beside the first
    `fast` count a third, each on its own scale.
    """
    f = arrived - start
    known = np.isfinite(before).all(axis=(1, 2))  # (depth, n)
    scale = np.ones_like(f)
    if f.shape[0] > fast:
        scale = 1.0 / np.maximum(np.abs(arrived), 1e-3)
        scale[fast:] *= 0.3
    steps = np.where(known[:, None], f - (before[:, 1] - before[:, 0]), 0.0) * scale
    back = np.where(known[:, None], arrived - before[:, 1], 0.0)
    finite = np.isfinite(steps).all(axis=(0, 1)) & np.isfinite(f).all(axis=0)
    inverse = np.linalg.pinv(np.where(finite, steps, 0.0).transpose(2, 1, 0), rcond=1e-8)  # (n, depth, F)
    weight = np.einsum("nmf,fn->mn", inverse, np.where(finite, f * scale, 0.0))
    guess = arrived - np.einsum("mn,mfn->fn", weight, back)
    usable = ~plain & finite & known.any(axis=0) & (guess >= 0.0).all(axis=0)
    return np.where(usable, guess, arrived), usable


def _affine(
    model: ProcessModel, rule: SteadyState, lanes: Lanes, state: np.ndarray, given: dict[str, np.ndarray]
) -> np.ndarray:
    """Fixed point (slow, n) of the slow pools over the year, read off replays from zero and from unit vectors."""
    replay = rule.replay or model
    n, m = lanes.theta.shape[1], len(rule.slow)
    own = {**dict(zip(model.site, lanes.site, strict=True)), **dict(zip(model.parameters.names, lanes.theta, strict=True))}
    theta = np.array([np.broadcast_to(own.get(p.name, p.default), (n,)) for p in replay.parameters])
    site = np.array([np.broadcast_to(own.get(s, replay.site_default.get(s, np.nan)), (n,)) for s in replay.site])
    place = dict(zip(model.forcing, lanes.series, strict=True)) | given
    series = [place[name] for name in replay.forcing]
    names = [s.name for s in replay.state]
    slow = [names.index(name) for name in rule.slow]
    start = np.array([state[_row(model, name)] for name in names])
    ends = []
    for k in range(m + 1):
        start[slow] = 0.0
        if k:
            start[slow[k - 1]] = UNIT
        _, end = replay.run(theta, series, site.reshape(len(replay.site), n), start, outputs=())
        ends.append(end[slow])
    shift = ends[0].T
    matrix = np.stack([(e - ends[0]).T for e in ends[1:]], axis=-1) / UNIT  # (n, slow, slow)
    found = np.full((n, m), np.nan)
    good = np.isfinite(matrix).all(axis=(1, 2)) & np.isfinite(shift).all(axis=1)
    if good.any():
        found[good] = np.linalg.solve(np.eye(m) - matrix[good], shift[good][:, :, None])[:, :, 0]
    return found.T
