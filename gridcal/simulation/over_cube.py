"""Forward runs of a process model over a cube, lazily."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from gridcal.cube import Cube
from gridcal.cube.agreement import check_same, places_of
from gridcal.cube.calendar import hours_of_days, with_calendar
from gridcal.cube.dataset import need_cube
from gridcal.cube.identity import of_data, of_mask
from gridcal.cube.meeting import in_units_of
from gridcal.errors import ConfigError, InputError
from gridcal.process.identity import of_model
from gridcal.process.model import ProcessModel
from gridcal.process.parameter_units import in_units_of as in_units_of_table
from gridcal.simulation.bounds import lazy_parameters, look_at_parameters, tell_outside_of
from gridcal.simulation.door import look_at_block, tell_gaps
from gridcal.vocabulary.fingerprint import marks
from gridcal.vocabulary.given import need_dataset
from gridcal.vocabulary.variables import VARIABLES

SPACE = ("lat", "lon", "pixel", "site")


def simulate(
    cube: Cube,
    model: ProcessModel,
    theta: xr.Dataset | Mapping[str, Any] | None = None,
    *,
    outputs: Sequence[str] | None = None,
    state: xr.Dataset | None = None,
) -> xr.Dataset:
    """Run a model at every pixel of a cube.

    Parameters
    ----------
    cube : Cube
        Forcing (time, *space) and site constants (*space). Lazy data stay lazy.
    model : ProcessModel
        The model.
    theta : Dataset or mapping, optional
        Parameters, each a number or an array over the cube's space dimensions; those not given keep their default.
        A pixel with a NaN parameter is left out (NaN).
    outputs : sequence of str, optional
        Names to return; the model's default outputs without it.
    state : Dataset, optional
        State of the day before the first, one variable a state over the cube's space, as :func:`gridcal.spin_up` returns; a
        cold start without it.

    Returns
    -------
    Dataset
        One float32 variable an output, dimensions (time, *space), with units; lat and lon of samples stay beside them. A model
        with hourly results adds the dimension ``hour`` (0 to 23) after ``time``, whose labels are days.

    Raises
    ------
    InputError
        If the cube lacks a forcing variable, or `theta` or `state` lies on another grid or at other places.

    Warns
    -----
    BoundsWarning
        If a parameter lies outside its bounds: it is taken as it is.

    Notes
    -----
    ``xr.apply_ufunc`` maps one plain function over the chunks with time an ordinary, single-chunk dimension, so that blocks
    reach the kernel in their native order without a copy.
    """
    need_cube(cube)
    wanted = tuple(outputs) if outputs is not None else tuple(model.outputs)
    theta = in_units_of_table(theta, model.parameters)
    inputs, space = model_inputs(cube, model, theta, state)
    data = cube.data
    inner = [["hour"] if "hour" in x.dims else [] for x in inputs]
    lazy = lazy_parameters(theta, model.parameters, cube.mask)
    block = functools.partial(_run_block, model=model, outputs=wanted, stated=state is not None, lazy=lazy)
    try:
        result = xr.apply_ufunc(
            block,
            *inputs,
            join="exact",
            dask="parallelized",
            input_core_dims=inner,
            output_core_dims=[["hour"] if model.results > 1 else []] * len(wanted),
            dask_gufunc_kwargs={"output_sizes": {"hour": model.results}} if model.results > 1 else {},
            output_dtypes=[np.float32] * len(wanted),
            keep_attrs=False,
        )
    except ValueError as error:
        if "align" in str(error) or "indexes" in str(error):
            raise InputError(
                f"parameters and cube lie on different coordinates ({error})",
                "Predict or select the parameters on the cube's own coordinates",
            ) from error
        raise
    results = result if isinstance(result, tuple) else (result,)
    out = xr.Dataset()
    for name, array in zip(wanted, results, strict=True):
        array = array.transpose("time", *(["hour"] if model.results > 1 else []), *space)
        known = VARIABLES.get(name)
        array.attrs = {"units": model.output_units(name), "long_name": known.long_name if known else name}
        if known and known.standard_name:
            array.attrs["standard_name"] = known.standard_name
        out[name] = array
    out = out.assign_coords(places_of(data))
    out.attrs = {"model": model.name, "model_version": model.version, "source": model.source}
    mark = identity_of(theta, model)
    if mark is not None:
        seen = {
            "model": of_model(model),
            "defaults": model.parameters,
            "theta": mark,
            "outputs": wanted,
            "state": None if state is None else of_data(state, [s.name for s in model.state]),
            "cube": of_data(data, [*model.forcing, *model.site]),
            **of_mask(data, cube.mask_name),
        }
        out.attrs |= marks(seen)
    return out


def model_inputs(
    cube: Cube, model: ProcessModel, theta: Any = None, state: xr.Dataset | None = None
) -> tuple[list[xr.DataArray], tuple[str, ...]]:
    """What a block function of a model reads: forcing, site constants, parameters, state, mask; and the space dimensions."""
    cube = with_calendar(cube, model.forcing)
    cube.require(model.forcing)
    if model.steps > 1:
        data = hours_of_days(cube.data[[*model.forcing, *(n for n in model.site if n in cube.data)]])
    else:
        cube.require_daily()
        data = cube.data
    space = tuple(cube.space_dims)
    inputs = [data[name] for name in model.forcing]
    for x in inputs:
        if x.chunks is not None and "time" in x.dims and len(x.chunksizes["time"]) > 1:
            raise InputError(
                f"variable {x.name!r} is split into {len(x.chunksizes['time'])} chunks along time",
                "Use one: cube.data.chunk(time=-1), or rewrite the store with all of time in a chunk",
            )
    inputs += [_site(data, model, name) for name in model.site]
    _check_theta(theta, model, cube.data, space)
    look_at_parameters(theta, model.parameters, cube.mask, stacklevel=4)
    inputs += [_parameter(theta, model, name, data, space) for name in model.parameters.names]
    inputs += _state(state, model, cube.data, space)
    inputs.append(cube.mask if cube.mask is not None else xr.DataArray(True))
    reference = next((x for x in inputs if set(space) <= set(x.dims)), inputs[0])
    return [_with_chunks_of(x, reference) for x in inputs], space


def identity_of(theta: Any, model: ProcessModel) -> Any:
    """What identifies parameters: their values, or of a lazy data set the fingerprint it carries; None if unknown."""
    if theta is None:
        return "default"
    arrays = {n: theta[n] for n in model.parameters.names if n in theta}
    if any(isinstance(x, xr.DataArray) and x.chunks is not None for x in arrays.values()):
        return theta.attrs.get("fingerprint") if isinstance(theta, xr.Dataset) else None
    return {n: hashlib.sha256(np.ascontiguousarray(x, dtype=np.float64).tobytes()).hexdigest() for n, x in arrays.items()}


def _site(data: xr.Dataset, model: ProcessModel, name: str) -> xr.DataArray:
    if name in data:
        return data[name].astype(np.float64)
    if name in model.site_default:
        return xr.DataArray(float(model.site_default[name]))
    raise InputError(
        f"the cube lacks the site constant {name!r} that model {model.name!r} needs ({model.site[name]})",
        "Add it as a static variable of the cube",
    )


def _check_theta(theta: Any, model: ProcessModel, data: xr.Dataset, space: tuple[str, ...]) -> None:
    """Raise if a mapping names no parameter of the model, or parameters lie on other coordinates or places than the cube."""
    if theta is None:
        return
    if isinstance(theta, xr.Dataset):
        names = [n for n in model.parameters.names if n in theta]
        places = [n for n in ("lat", "lon") if n in theta.data_vars]
        check_same(theta[[*names, *places]] if names else xr.Dataset(), data, space)
        return
    for name, value in theta.items():
        if name not in model.parameters.names:
            raise ConfigError(f"model {model.name!r} has no parameter {name!r}", f"It has: {', '.join(model.parameters.names)}")
        if isinstance(value, xr.DataArray):
            check_same(value.to_dataset(name=name), data, space)


def _parameter(theta: Any, model: ProcessModel, name: str, data: xr.Dataset, space: tuple[str, ...]) -> xr.DataArray:
    if theta is None or name not in theta:
        return xr.DataArray(model.parameters[name].default)
    value = theta[name]
    if isinstance(value, xr.DataArray):
        value = value.reset_coords(drop=True)
        stray = [d for d in value.dims if d not in space]
        if stray:
            raise InputError(
                f"parameter {name!r} has the dimension {stray[0]!r}, which the cube's space {space} lacks",
                "Pass one value a pixel",
            )
        return value.astype(np.float64)
    return xr.DataArray(float(value))


def _with_chunks_of(x: xr.DataArray, reference: xr.DataArray) -> xr.DataArray:
    """Chunk an in-memory array like the reference, so that every task gets its own part of it."""
    x = x.reset_coords(drop=True)
    if reference.chunks is None or x.chunks is not None or not x.dims:
        return x
    return x.chunk({d: reference.chunksizes[d] for d in x.dims if d in reference.chunksizes})


def check_state(state: xr.Dataset, model: ProcessModel) -> None:
    """Raise :class:`InputError` if a state lacks a variable of the model."""
    need_dataset(state, "the state")
    lacking = [entry.name for entry in model.state if entry.name not in state]
    if lacking:
        raise InputError(
            f"the state lacks {lacking[0]!r} of model {model.name!r}",
            "Make it with the same model: gridcal.spin_up(cube, model)",
        )


def state_in_units(state: xr.Dataset, model: ProcessModel) -> xr.Dataset:
    """The states of a model in its units; those that declare none are taken to be in them."""
    found = {
        entry.name: in_units_of(state[entry.name], entry.name, entry.units, role=f"state {entry.name!r}")
        for entry in model.state
        if "units" in state[entry.name].attrs
    }
    return state.assign(found)


def _state(state: xr.Dataset | None, model: ProcessModel, data: xr.Dataset, space: tuple[str, ...]) -> list[xr.DataArray]:
    if state is None:
        return []
    check_state(state, model)
    check_same(state, data, space)
    state = state_in_units(state, model)
    return [state[entry.name].astype(np.float64).reset_coords(drop=True) for entry in model.state]


def _run_block(*arrays: Any, model: ProcessModel, outputs: tuple[str, ...], stated: bool, lazy: tuple[str, ...]) -> Any:
    """One block in native order: forcing (T, *space), site constants, parameters and state (*space)."""
    nf, ns, npar = len(model.forcing), len(model.site), len(model.parameters)
    nk = len(model.state) if stated else 0
    hours = model.steps
    forcing = [np.asarray(x) for x in arrays[:nf]]
    if hours > 1:
        # hours come last; the kernel wants them after the days
        forcing = [np.moveaxis(x, -1, 1).reshape(-1, *x.shape[1:-1]) for x in forcing]
    shape = np.broadcast_shapes(*(x.shape for x in forcing), *(np.shape(x) for x in arrays[nf:]))
    length, n = shape[0], int(np.prod(shape[1:], dtype=int))
    days = length // hours
    columns = []
    for x in forcing:
        x = x.reshape((length,) + (1,) * (len(shape) - x.ndim) + x.shape[1:]) if x.ndim < len(shape) else x
        shared = all(size == 1 for size in x.shape[1:]) and n > 1
        columns.append(x.reshape(length, 1) if shared else np.broadcast_to(x, shape).reshape(length, n))
    flat = [np.broadcast_to(np.asarray(x, dtype=float), shape[1:]).reshape(n) for x in arrays[nf : nf + ns + npar + nk]]
    site = np.array(flat[:ns]).reshape(ns, n)
    theta = np.array(flat[ns : ns + npar])
    start = np.array(flat[ns + npar :]).reshape(nk, n) if stated else None
    use = np.broadcast_to(np.asarray(arrays[-1], dtype=bool), shape[1:]).reshape(n)
    use = use & np.isfinite(theta).all(axis=0) & np.isfinite(site).all(axis=0)
    for x in columns:
        use = use & np.isfinite(x[0])
    tell_outside_of(model.parameters, lazy, theta[:, use])
    rows = days * model.results
    found = [np.full((rows, n), np.nan, dtype=np.float32) for _ in outputs]
    if use.all():
        look_at_block(model, columns)
        tell_gaps(model, columns)
        results, _ = model.run(theta, columns, site, start, outputs=outputs, dtype=np.float32)
        found = list(results)
    elif use.any():
        part = [x if x.shape[1] == 1 else np.ascontiguousarray(x[:, use]) for x in columns]
        look_at_block(model, part)
        tell_gaps(model, part)
        first = None if start is None else start[:, use]
        results, _ = model.run(theta[:, use], part, site[:, use], first, outputs=outputs, dtype=np.float32)
        for full, y in zip(found, results, strict=True):
            full[:, use] = y
    if model.results > 1:
        found = [np.moveaxis(y.reshape(days, model.results, *shape[1:]), 1, -1) for y in found]
    else:
        found = [y.reshape(days, *shape[1:]) for y in found]
    return found[0] if len(outputs) == 1 else tuple(found)
