"""The verb ``screen``: elementary effects of a model's parameters at every sample of a cube, lazily."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from gridcal.calibration.observations.target_units import with_units_of
from gridcal.calibration.target import Target
from gridcal.cube import Cube
from gridcal.cube.calendar import with_calendar
from gridcal.cube.dataset import need_cube
from gridcal.cube.identity import of_data, of_mask
from gridcal.errors import ConfigError, InputError
from gridcal.process.identity import of_model
from gridcal.process.model import ProcessModel
from gridcal.process.parameter_units import in_units_of
from gridcal.screening.chunk import STEP, coords, layout, screen_block_of_pixels, target_labels
from gridcal.screening.morris import Morris
from gridcal.simulation.door import look_before
from gridcal.simulation.over_cube import identity_of, model_inputs
from gridcal.vocabulary.fingerprint import marks
from gridcal.vocabulary.periods import days_between, period_index


def screen(
    cube: Cube,
    model: ProcessModel,
    method: Morris | None = None,
    *,
    targets: Sequence[str | Target] | None = None,
    pixels: xr.DataArray | None = None,
    start: xr.Dataset | Mapping[str, Any] | None = None,
    state: xr.Dataset | None = None,
    period: tuple[str, str] | str | None = None,
    dead: Mapping[str, float] | None = None,
    chunk: int | None = None,
) -> xr.Dataset:
    """Find out which parameters matter, by elementary effects at every sample pixel or site.

    Parameters
    ----------
    cube : Cube
        Samples (time, pixel) or sites (time, site), or a grid with `pixels`.
    model : ProcessModel
        The model.
    method : Morris, optional
        Trajectories, levels, seed, functional; ``Morris()`` by default. Its points in the unit cube are the same everywhere.
    targets : sequence of str or Target, optional
        Outputs, at their time scale (8-day by default); all of the model's outputs without it. Observations are read for the
        functional ``cost`` only.
    pixels : DataArray, optional
        Pixels of a grid, as :func:`gridcal.sample_pixels` gives them.
    start : Dataset or mapping, optional
        Values of parameters that are not screened, as `theta` of :func:`gridcal.simulate`; defaults otherwise.
    state : Dataset, optional
        State of the day before the first, over the samples: every run starts from it. A cold start without it.
    period : (str, str) or str, optional
        First and last date that are scored, or the name of a boolean variable of the cube that is true on these days. The
        days before are run all the same. All by default.
    dead : mapping of str to float, optional
        ``{"lai": 0.2}`` counts the runs whose output never reaches the value on a scored day. They are results, not failures.
    chunk : int, optional
        Pixels in a task; the cube's own chunks, or 8 where it is in memory, without it.

    Returns
    -------
    Dataset
        Lazy, dimensions (target, parameter, pixel): ``mu``, ``mu_star``, ``sigma``, and ``mu_star_low``, ``mu_star_high`` of
        the bootstrap, in the target's units per step over a parameter's whole range. ``n_failed`` (target, pixel) counts
        trajectories that were dropped because a run was not finite, ``n_dead`` (pixel) dead runs; ``status`` (pixel) is a CF
        flag variable, the worst over the targets.

    Raises
    ------
    InputError
        If the cube lacks a variable, or has no single sample dimension.
    ConfigError
        If method or targets do not fit the model.

    Notes
    -----
    The same seed gives the same bytes, however the cube is chunked and whichever of its pixels are screened.

    Examples
    --------
    >>> import gridcal as gc
    >>> cube = gc.synthetic.twin(4, 4, years=1).cube
    >>> pixels = gc.sample_pixels(cube, n=3, seed=1)
    >>> model = gc.models.model_named("lue")
    >>> effects = gc.screen(cube, model, gc.Morris(trajectories=6), targets=["gpp"], pixels=pixels)
    >>> dict(effects.sizes)
    {'target': 1, 'parameter': 13, 'pixel': 3}
    >>> bool(effects.mu_star.sel(parameter="eps_max").min() > 1.0)  # gC m-2 d-1 from the lower bound to the upper
    True
    >>> float(effects.mu_star.sel(parameter="aW").max())  # the twin's soil moisture has no lag here
    0.0
    """
    need_cube(cube)
    method = method or Morris()
    cube = cube if pixels is None else cube.sel(pixel=pixels)
    wanted = _targets(targets, model, method)
    table = method.table(model.parameters)
    dead = dict(dead or {})
    for name in (*(t.variable for t in wanted), *dead):
        model.output_units(name)
    space = tuple(cube.space_dims)
    if len(space) != 1:
        raise InputError(
            f"screening runs on samples, but the cube has the space dimensions {space}",
            "Select pixels: screen(..., pixels=sample_pixels(cube, n=..., seed=...))",
        )
    if model.steps > 1 or model.results > 1:
        raise InputError(
            f"model {model.name!r} works with hourly series, which screening does not",
            "Screen the variant with daily forcing and results",
        )
    dim = space[0]
    cube = with_calendar(cube, model.forcing)
    read = [str(t.against) for t in wanted] if method.functional == "cost" else []
    for t in wanted:
        if method.functional == "cost" and isinstance(t.sigma, str):
            raise ConfigError(
                f"target {t.variable!r} takes its errors from variable {t.sigma!r}, which screening does not",
                "Give one sigma, or likelihood 'profile'",
            )
    cube.require([*read, *([period] if isinstance(period, str) else [])])
    if read:
        cube = with_units_of(cube, model, wanted)
    look_before(cube, model, stacklevel=3)
    start = in_units_of(start, model.parameters)
    data, constants = _inputs(cube, model, start, state, dim)
    for name in dict.fromkeys(read):
        data[f"obs_{name}"] = cube.data[name].reset_coords(drop=True)
    if isinstance(period, str):
        data["inside"] = cube.data[period].reset_coords(drop=True)
    chunks = data.chunksizes.get(dim)
    data = data.chunk({dim: chunk or chunks or 8, "time": -1})
    days = data["time"].to_index()
    inside = days_between(days, *period) if isinstance(period, tuple) else np.ones(days.size, dtype=bool)
    spec = {
        "model": model,
        "method": method,
        "table": table,
        "targets": wanted,
        "labels": [period_index(days, t.every)[0] for t in wanted],
        "inside": inside,
        "constants": constants,
        "stated": state is not None,
        "dead": dead,
        "dim": dim,
    }
    template = _template(data, spec)
    out = xr.map_blocks(screen_block_of_pixels, data, kwargs={"spec": spec}, template=template)
    out = out.assign_coords({c: cube.data[c] for c in cube.data.coords if cube.data[c].dims == (dim,)})
    units = [_target_units(model, t, method) for t in wanted]
    out = out.assign_coords(
        target_units=("target", np.array(units, dtype=object), {"long_name": "units of the target's effects"})
    )
    scored = days[inside]
    seen = {
        "model": of_model(model),
        "parameters": model.parameters,
        "method": method,
        "targets": wanted if method.functional == "cost" else [[t.variable, t.every] for t in wanted],
        "period": period,
        "start": identity_of(start, model),
        "state": None if state is None else of_data(state, [s.name for s in model.state]),
        "dead": dead,
        dim: [str(v) for v in data[dim].values],
        "time": [str(days[0]), str(days[-1])],
        "cube": of_data(cube.data, [*model.forcing, *model.site, *read, *([period] if isinstance(period, str) else [])]),
        **of_mask(cube.data, cube.mask_name),
    }
    out.attrs = {
        "stage": "screen",
        "model": model.name,
        "model_version": model.version,
        "method": "Morris elementary effects",
        "functional": method.functional,
        "trajectories": method.trajectories,
        "levels": method.levels,
        "step": method.step,
        "seed": method.seed,
        "resample": method.resample,
        "confidence": method.confidence,
        "runs": method.trajectories * (len(table) + 1),
        "period": period if isinstance(period, str) else f"{scored[0].date()} .. {scored[-1].date()}",
        "years": f"{scored[0].year} .. {scored[-1].year}",
        "start_state": "cold start" if state is None else str(state.attrs.get("fingerprint", "given")),
        "dead": ", ".join(f"{k} < {v:g}" for k, v in dead.items()),
        "comment": STEP,
        **marks(seen),
    }
    return out


def _targets(targets: Sequence[str | Target] | None, model: ProcessModel, method: Morris) -> tuple[Target, ...]:
    if isinstance(targets, str):
        raise ConfigError(f"targets is the text {targets!r}", f"Give a list: [{targets!r}]")
    chosen = tuple(model.outputs) if targets is None else tuple(targets)
    if not chosen:
        raise ConfigError("no target to screen for", f"Name outputs of model {model.name!r}: {', '.join(model.outputs)}")
    found = tuple(Target(t) if isinstance(t, str) else t for t in chosen)
    labels = target_labels(found)
    twice = [n for n in labels if labels.count(n) > 1]
    if twice:
        raise ConfigError(f"target {twice[0]!r} is given twice", "Give each output and time scale once")
    return found


def _target_units(model: ProcessModel, target: Target, method: Morris) -> str:
    return "1" if method.functional == "cost" else model.output_units(target.variable)


def _inputs(cube: Cube, model: ProcessModel, start: Any, state: Any, dim: str) -> tuple[xr.Dataset, dict[str, float]]:
    """What a block of pixels reads, under the names ``forcing_0``, ``site_0``, ...; numbers all pixels share apart."""
    arrays, _ = model_inputs(cube, model, start, state)
    kinds = [("forcing", len(model.forcing)), ("site", len(model.site)), ("theta", len(model.parameters))]
    kinds += [("state", len(model.state) if state is not None else 0), ("use", 1)]
    names = [f"{kind}_{k}" for kind, count in kinds for k in range(count)]
    data, constants = xr.Dataset(), {}
    for name, x in zip(names, arrays, strict=True):
        if x.dims:
            data[name] = x
        else:
            constants[name] = float(x)
    labels = cube.data[dim].values if dim in cube.data.coords else np.arange(cube.data.sizes[dim])
    return data.assign_coords({dim: labels, "time": cube.data["time"].values}), constants


def _template(data: xr.Dataset, spec: dict[str, Any]) -> xr.Dataset:
    import dask.array as da

    dim = spec["dim"]
    out = xr.Dataset(coords={dim: data[dim], **coords(spec)})
    for name, (dims, dtype, attrs) in layout(spec).items():
        chunks = tuple(data.chunksizes[dim] if d == dim else (out.sizes[d],) for d in dims)
        out[name] = (dims, da.zeros(tuple(out.sizes[d] for d in dims), chunks=chunks, dtype=dtype), attrs)
    return out
