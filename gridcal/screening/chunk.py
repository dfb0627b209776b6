"""Screening of a chunk of pixels: what map_blocks calls, and the layout of what it returns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from gridcal.calibration.status import Status
from gridcal.calibration.target import Target
from gridcal.cube.columns import columns_of
from gridcal.kernels.elementary_effects import effect_statistics, elementary_effects, series_effects
from gridcal.process.model import ProcessModel
from gridcal.screening.functional import Periods, cost_of, observed_periods, runs_of_pixel, scored_periods, series_of_pixel
from gridcal.screening.morris import Morris
from gridcal.simulation.door import look_at_block

Array = npt.NDArray[np.float64]

EFFECTS = {
    "mu": "mean elementary effect",
    "mu_star": "mean absolute elementary effect",
    "sigma": "standard deviation of the elementary effects",
    "mu_star_low": "lower end of the bootstrap interval of mu_star",
    "mu_star_high": "upper end of the bootstrap interval of mu_star",
}
STEP = "an effect is a change per step over a parameter's whole range, in target_units"


def target_labels(targets: tuple[Target, ...]) -> list[str]:
    """What the targets are called: the output, and the time scale where an output has several."""
    names = [t.variable for t in targets]
    return [n if names.count(n) == 1 else f"{n} {t.every}" for n, t in zip(names, targets, strict=True)]


def layout(spec: dict[str, Any]) -> dict[str, tuple[tuple[str, ...], Any, dict[str, Any]]]:
    """Name -> (dims, dtype, attrs) of every result variable."""
    dim, method = spec["dim"], spec["method"]
    layout: dict[str, tuple[tuple[str, ...], Any, dict[str, Any]]] = {}
    for name, text in EFFECTS.items():
        if method.resample or name not in ("mu_star_low", "mu_star_high"):
            attrs = {"long_name": f"{text} on the {method.functional} of the target", "comment": STEP}
            layout[name] = (("target", "parameter", dim), np.float64, attrs)
    failed = "trajectories dropped because a run was not finite"
    layout["n_failed"] = (("target", dim), np.int32, {"units": "1", "long_name": failed})
    if spec["dead"]:
        rule = " or ".join(f"{k} never reaches {v:g}" for k, v in spec["dead"].items())
        layout["n_dead"] = ((dim,), np.int32, {"units": "1", "long_name": f"runs in which {rule}"})
    flags = {
        "flag_values": np.array([int(s) for s in Status], dtype=np.int8),
        "flag_meanings": " ".join(s.name for s in Status),
        "long_name": "screening status, worst over the targets",
    }
    layout["status"] = ((dim,), np.int8, flags)
    return layout


def coords(spec: dict[str, Any]) -> dict[str, Any]:
    """Coordinates of the result but for the samples'."""
    names = np.array(target_labels(spec["targets"]), dtype=object)
    parameters = np.array(spec["table"].names, dtype=object)
    return {
        "target": ("target", names, {"long_name": "model output"}),
        "parameter": ("parameter", parameters, {"long_name": "model parameter"}),
        "parameter_scale": ("parameter", np.array([p.scale for p in spec["table"]], dtype=object)),
    }


def screen_block_of_pixels(data: xr.Dataset, spec: dict[str, Any]) -> xr.Dataset:
    """Screen the pixels of one chunk; a plain function, so that workers import the kernels themselves."""
    method: Morris = spec["method"]
    dim, targets = spec["dim"], spec["targets"]
    n, d, r = data.sizes[dim], len(spec["table"]), method.trajectories
    out = xr.Dataset(coords={dim: data[dim], **coords(spec)})
    for name, (dims, dtype, attrs) in layout(spec).items():
        fill = np.nan if np.issubdtype(dtype, np.floating) else 0
        out[name] = (dims, np.full([out.sizes[k] for k in dims], fill, dtype=dtype), attrs)
    points = method.points(d)
    effects = np.full((len(targets), r, d, n), np.nan)
    status = np.zeros((len(targets), n), dtype=np.int8)
    for i, (part, codes, n_dead) in enumerate(_pixels(data, spec, points)):
        status[:, i] = codes
        if "n_dead" in out:
            out["n_dead"].values[i] = n_dead
        for k, series in enumerate(part):
            if series is not None:
                effects[k, :, :, i] = series
    draws = method.draws()
    for k in range(len(targets)):
        found = effect_statistics(effects[k], draws, method.confidence)
        for name in EFFECTS:
            if name in out:
                out[name].values[k] = found[name]
        run = status[k] == int(Status.ok)
        out["n_failed"].values[k] = np.where(run, r - found["n_good"], 0)
        status[k] = np.where(run & (found["n_good"] < 2), int(Status.model_failure), status[k])
    out["status"].values[:] = status.max(axis=0)
    return out


def _pixels(data: xr.Dataset, spec: dict[str, Any], points: Array) -> Iterator[tuple[list[Array | None], list[int], int]]:
    """Elementary effects (trajectory, parameter) and status of each target, and the dead runs, pixel by pixel."""
    model: ProcessModel = spec["model"]
    method: Morris = spec["method"]
    targets: tuple[Target, ...] = spec["targets"]
    constants, n, d = spec["constants"], data.sizes[spec["dim"]], points.shape[2]
    candidates = spec["table"].from_unit(points.reshape(-1, d)).T
    rows = [model.parameters.index(name) for name in spec["table"].names]
    outputs = tuple(dict.fromkeys([*(t.variable for t in targets), *spec["dead"]]))
    series = {str(name): columns_of(data[name], n) for name in data.data_vars if "time" in data[name].dims}

    def places(kind: str, count: int) -> Array:
        found = [data[f"{kind}_{k}"].values if f"{kind}_{k}" in data else constants[f"{kind}_{k}"] for k in range(count)]
        return np.array([np.broadcast_to(np.asarray(x, dtype=np.float64), n) for x in found]).reshape(count, n)

    site, theta, use = places("site", len(model.site)), places("theta", len(model.parameters)), places("use", 1)[0]
    state = places("state", len(model.state)) if spec["stated"] else None
    for i in range(n):
        inside = series["inside"][:, i] > 0 if "inside" in series else spec["inside"]
        last = int(np.flatnonzero(inside)[-1]) + 1 if inside.any() else 0
        forcing = [np.ascontiguousarray(series[f"forcing_{k}"][:last, i : i + 1]) for k in range(len(model.forcing))]
        place, first = site[:, i : i + 1], None if state is None else state[:, i : i + 1]
        fixed = np.concatenate([place[:, 0], theta[:, i], [] if first is None else first[:, 0]])
        code = Status.ok
        if not use[i]:
            code = Status.masked
        elif not last:
            code = Status.insufficient_observations
        elif not all(np.isfinite(x).all() for x in (*forcing, fixed)):
            code = Status.forcing_gap
        if code != Status.ok:
            yield [None] * len(targets), [int(code)] * len(targets), 0
            continue
        look_at_block(model, forcing)
        periods: list[Periods | Status] = []
        for target, labels in zip(targets, spec["labels"], strict=True):
            if method.functional == "cost":
                obs = series[f"obs_{target.against}"][:last, i]
                periods.append(observed_periods(target, labels, inside[:last], obs))
            else:
                periods.append(scored_periods(target, labels, inside[:last]))
        many = np.repeat(theta[:, i : i + 1], candidates.shape[1], axis=1)
        many[rows] = candidates
        runs = runs_of_pixel(model, many, forcing, place, first, outputs)
        wanted = [None if isinstance(p, Status) else p for p in periods]
        means, n_dead = series_of_pixel(runs, wanted, many.shape[1], spec["dead"], inside[:last])
        effects = [
            None if y is None or p is None else _effects(y, p, points, method) for y, p in zip(means, wanted, strict=True)
        ]
        yield effects, [int(p) if isinstance(p, Status) else int(Status.ok) for p in periods], n_dead


def _effects(means: Array, periods: Periods, points: Array, method: Morris) -> Array:
    """Elementary effects (trajectory, parameter) of the functional of period means (runs, periods)."""
    if method.functional == "change":
        return series_effects(points, means.reshape(*points.shape[:2], -1), method.levels)
    values = cost_of(periods)(means) if method.functional == "cost" else means.mean(axis=1)
    return elementary_effects(points, values.reshape(points.shape[:2]), method.levels)
