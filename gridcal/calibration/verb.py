"""The verb ``calibrate``: any model, any blocks, any method, at every sample of a cube, lazily."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from gridcal.calendar import with_calendar
from gridcal.calibration.pixel import calibrate_pixel, pixel_number
from gridcal.calibration.status import Status
from gridcal.cube import Cube
from gridcal.errors import ConfigError, InputError
from gridcal.fingerprint import fingerprint
from gridcal.model import ProcessModel
from gridcal.periods import period_index
from gridcal.target import Block
from gridcal.validate import check_same

BLOCK_VARIABLES = ("cost", "cost_best", "n_runs", "rhat", "ess", "surrogate_rmse", "ess_ratio")
_LONG = {
    "cost": "-2 log likelihood of the model at the estimate",
    "cost_best": "lowest -2 log likelihood of any model run",
    "n_runs": "model runs",
    "rhat": "rank-normalised split R-hat, largest over the parameters",
    "ess": "effective sample size of the posterior, smallest over the parameters",
    "surrogate_rmse": "error of the surrogate's cost at model runs it had not seen",
    "ess_ratio": "effective share of verification draws under importance weights",
}


def calibrate(
    cube: Cube,
    model: ProcessModel,
    blocks: Sequence[Block],
    method: Any = None,
    *,
    seed: int = 0,
    period: tuple[str, str] | str | None = None,
    start: xr.Dataset | None = None,
    chunk: int | None = None,
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
    method : object, optional
        ``MASM(...)``, ``CMAES(...)`` or anything with ``run(problem, seed) -> PixelResult``; ``MASM()`` by default.
    seed : int
        Root of all random streams. A pixel's stream depends on the seed and the pixel alone.
    period : (str, str) or str, optional
        First and last date of the calibration period, or the name of a boolean variable of the cube that is true on its
        days. Observations outside it are not seen. All by default.
    start : Dataset, optional
        Values of parameters no block fits, one a pixel; defaults otherwise.
    chunk : int, optional
        Pixels in a task; the cube's own chunks, or 8 where it is in memory, without it.

    Returns
    -------
    Dataset
        Lazy. For each fitted parameter ``p``: the posterior mean ``p``, ``p_median``, ``p_map``, ``p_sd``, ``p_q05``,
        ``p_q95``, ``p_edge_hit`` over the pixel, and ``p_draws`` over (pixel, chain, draw) if the method samples; each other
        parameter at its value. Per block: cost, cost_best, n_runs, rhat, ess, surrogate_rmse, ess_ratio, block_status. Per
        pixel: ``diso``, ``nse``, ``n_obs`` (worst block) and ``status``, a CF flag variable: a bad pixel is a code and NaN.

    Raises
    ------
    InputError
        If the cube lacks a variable, or has no single sample dimension.
    ConfigError
        If a block does not fit the model.
    """
    if method is None:
        from gridcal.calibration.masm import MASM

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
    names = list(dict.fromkeys([*model.forcing, *(str(b.to.against) for b in blocks)]))
    extra = [period] if isinstance(period, str) else []
    cube.require([*names, *extra])
    cube.require_daily()
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
        check_same(data, start, (dim,))
    for name in model.parameters.names:
        if start is not None and name in start:
            data[f"_start_{name}"] = start[name].reset_coords(drop=True)
    if dim not in data.coords:
        data = data.assign_coords({dim: np.arange(data.sizes[dim])})
    chunks = data.chunksizes.get(dim)
    data = data.chunk({dim: chunk or chunks or 8, "time": -1})
    days = data["time"].to_index()
    labels = [period_index(days, b.to.every)[0] for b in blocks]
    inside = np.ones(days.size, dtype=bool)
    if isinstance(period, tuple):
        inside[:] = False
        inside[days.slice_indexer(period[0], period[1])] = True
        if not inside.any():
            raise ConfigError(
                f"the calibration period {period[0]} .. {period[1]} holds no day of the cube "
                f"({days[0].date()} .. {days[-1].date()})",
                "Give a period within the cube",
            )
    shape = getattr(method, "draw_shape", None)
    spec = {
        "model": model,
        "blocks": blocks,
        "method": method,
        "seed": seed,
        "period": extra[0] if extra else None,
        "inside": inside,
        "labels": labels,
        "dim": dim,
        "draw_shape": shape,
    }
    template = _template(data, model, blocks, dim, shape)
    out = xr.map_blocks(_calibrate_block_of_pixels, data, kwargs={"spec": spec}, template=template)
    keep = [c for c in cube.data.coords if cube.data[c].dims == (dim,)]
    out = out.assign_coords({c: cube.data[c] for c in keep})
    out.attrs = {
        "stage": "calibrate",
        "model": model.name,
        "model_version": model.version,
        "method": repr(method),
        "seed": seed,
        "blocks": "; ".join(f"{', '.join(b.fit)} against {b.to.against} every {b.to.every}" for b in blocks),
        "fingerprint": fingerprint(
            {
                "model": [model.name, model.version],
                "parameters": model.parameters,
                "blocks": blocks,
                "edc": [[c.name, c.description] for c in model.constraints if any(b.edc for b in blocks)],
                "method": [repr(method), getattr(type(method), "version", 0)],
                "seed": seed,
                "period": period,
                dim: [str(v) for v in data[dim].values],
                "cube": cube.data.attrs.get("fingerprint", ""),
            }
        ),
    }
    return out


def _layout(model: ProcessModel, blocks: tuple[Block, ...], shape: tuple[int, int] | None) -> dict[str, tuple[Any, ...]]:
    """Name -> (extra dims, dtype, attrs) of every result variable."""
    layout: dict[str, tuple[Any, ...]] = {}
    fitted = {n for b in blocks for n in b.fit}
    for p in model.parameters:
        attrs = {"units": p.units, "long_name": p.description}
        layout[p.name] = ((), np.float64, attrs | ({} if p.name in fitted else {"comment": "not calibrated"}))
        if p.name not in fitted:
            continue
        for part in ("median", "map", "sd", "q05", "q95"):
            layout[f"{p.name}_{part}"] = ((), np.float64, {**attrs, "long_name": f"{p.description}: posterior {part}"})
        hit = {"units": "1", "long_name": f"{p.description}: share of draws within 1 % of a bound"}
        layout[f"{p.name}_edge_hit"] = ((), np.float64, hit)
        if shape is not None:
            layout[f"{p.name}_draws"] = (
                ("chain", "draw"),
                np.float32,
                {**attrs, "long_name": f"{p.description}: draws"},
            )
    for name in BLOCK_VARIABLES:
        layout[name] = (("block",), np.float64, {"units": "1", "long_name": _LONG[name]})
    flags = {
        "flag_values": np.array([int(s) for s in Status], dtype=np.int8),
        "flag_meanings": " ".join(s.name for s in Status),
        "long_name": "calibration status",
    }
    layout["block_status"] = (("block",), np.int8, flags)
    layout["status"] = ((), np.int8, flags)
    layout["diso"] = ((), np.float64, {"units": "1", "long_name": "DISO at the estimate, worst block"})
    layout["nse"] = (
        (),
        np.float64,
        {"units": "1", "long_name": "Nash-Sutcliffe efficiency at the estimate, worst block"},
    )
    layout["n_obs"] = ((), np.int32, {"units": "1", "long_name": "observed periods, fewest of any block"})
    return layout


def _template(
    data: xr.Dataset, model: ProcessModel, blocks: tuple[Block, ...], dim: str, shape: tuple[int, int] | None
) -> xr.Dataset:
    import dask.array as da

    sizes = {dim: data.sizes[dim], "block": len(blocks)}
    if shape is not None:
        sizes |= {"chain": shape[0], "draw": shape[1]}
    out = xr.Dataset(coords={dim: data[dim]})
    for name, (dims, dtype, attrs) in _layout(model, blocks, shape).items():
        chunks = (data.chunksizes[dim], *((sizes[d],) for d in dims))
        zeros = da.zeros((sizes[dim], *(sizes[d] for d in dims)), chunks=chunks, dtype=dtype)
        out[name] = ((dim, *dims), zeros, attrs)
    return out


def _calibrate_block_of_pixels(data: xr.Dataset, spec: dict[str, Any]) -> xr.Dataset:
    """Calibrate the pixels of one chunk; a plain function, so that workers import the kernels themselves."""
    model: ProcessModel = spec["model"]
    blocks: tuple[Block, ...] = spec["blocks"]
    dim, shape = spec["dim"], spec["draw_shape"]
    n = data.sizes[dim]
    sizes = {"block": len(blocks)} | ({} if shape is None else {"chain": shape[0], "draw": shape[1]})
    layout = _layout(model, blocks, shape)
    out = xr.Dataset(coords={dim: data[dim]})
    for name, (dims, dtype, attrs) in layout.items():
        fill = np.nan if np.issubdtype(dtype, np.floating) else 0
        out[name] = ((dim, *dims), np.full((n, *(sizes[d] for d in dims)), fill, dtype=dtype), attrs)
    columns = {name: _columns(data[name], dim, n) for name in data.data_vars if "time" in data[name].dims}
    place = np.array(
        [np.broadcast_to(data[s].values if s in data else model.site_default.get(s, np.nan), n) for s in model.site]
    ).reshape(len(model.site), n)
    start = np.repeat(model.parameters.default[:, None], n, axis=1)
    for k, name in enumerate(model.parameters.names):
        if f"_start_{name}" in data:
            start[k] = data[f"_start_{name}"].values
    use = np.broadcast_to(data["_use"].values, n) if "_use" in data else np.ones(n, dtype=bool)
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
            [np.where(inside, columns[str(b.to.against)][:, i], np.nan) for b in blocks],
            spec["labels"],
            start[:, i],
            bool(use[i]),
            spec["seed"],
            pixel_number(data[dim].values[i]),
        )
        _store(out, i, model, blocks, outcome)
    return out


def _columns(x: xr.DataArray, dim: str, n: int) -> np.ndarray:
    """Values as float64 (T, n), whatever the order of the dimensions."""
    values = x.transpose("time", ...).values.astype(np.float64)
    return np.broadcast_to(values.reshape(values.shape[0], -1), (values.shape[0], n)) if dim not in x.dims else values


def _store(out: xr.Dataset, i: int, model: ProcessModel, blocks: tuple[Block, ...], outcome: Any) -> None:
    for name, value in zip(model.parameters.names, outcome.theta, strict=True):
        out[name].values[i] = value
    for k, (block, part) in enumerate(zip(blocks, outcome.blocks, strict=True)):
        out["block_status"].values[i, k] = int(part.status)
        if part.result is None:
            continue
        result = dataclasses.asdict(part.result)
        for name in BLOCK_VARIABLES:
            out[name].values[i, k] = result[name]
        for j, name in enumerate(block.fit):
            for suffix in ("median", "map", "sd", "q05", "q95", "edge_hit"):
                out[f"{name}_{suffix}"].values[i] = result[suffix][j]
            if f"{name}_draws" in out and result["draws"] is not None:
                out[f"{name}_draws"].values[i] = result["draws"][:, :, j]
    out["status"].values[i] = int(outcome.status)
    good = [b for b in outcome.blocks if b.result is not None]
    out["n_obs"].values[i] = min((b.n_obs for b in outcome.blocks), default=0)
    if good:
        out["diso"].values[i] = max(b.diso for b in good)
        out["nse"].values[i] = min(b.nse for b in good)
