"""The verb ``check_cube``: all that a model and its targets would stumble over in a cube, in one report beforehand."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from gridcal.calibration.observations.composites import rhythm
from gridcal.calibration.observations.target_units import known_ranges, with_units_of
from gridcal.calibration.target import Target
from gridcal.cube import Cube, open_cube
from gridcal.cube.agreement import check_space, check_time
from gridcal.cube.calendar import with_calendar
from gridcal.cube.canonical import canonical_units
from gridcal.cube.layouts import taken
from gridcal.cube.ranges import finding, is_hourly, sampled_values
from gridcal.errors import GridcalError, InputError
from gridcal.models import model_named
from gridcal.process.model import ProcessModel
from gridcal.simulation.door import check_domain
from gridcal.vocabulary.given import need_dataset
from gridcal.vocabulary.periods import scale_name

Kind = Literal["understood", "repaired", "rare", "wrong"]
_LOOKED_AT = 8


@dataclasses.dataclass(frozen=True)
class Line:
    """One line of a report: what kind it is of, the variable or dimension, what is so, and the repair where one is needed."""

    kind: Kind
    name: str
    text: str
    repair: str = ""


@dataclasses.dataclass(frozen=True)
class CubeReport:
    """What was understood of a cube, repaired by a stated rule, rare, or wrong.

    Parameters
    ----------
    lines : tuple of Line
        In the order of the checks.
    """

    lines: tuple[Line, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.of("wrong")

    def of(self, kind: Kind) -> tuple[Line, ...]:
        """The lines of one kind."""
        return tuple(line for line in self.lines if line.kind == kind)

    def require(self) -> None:
        """Raise :class:`InputError` with everything that is wrong, if anything is."""
        wrong = self.of("wrong")
        if len(wrong) == 1:
            raise InputError(wrong[0].text, wrong[0].repair)
        if wrong:
            items = "; ".join(f"({k}) {line.text}. {line.repair}" for k, line in enumerate(wrong, 1))
            raise InputError(f"{len(wrong)} things are wrong with the data: {items}")

    def __str__(self) -> str:
        titles = {"understood": "Understood", "repaired": "Repaired", "rare": "Look at", "wrong": "Wrong"}
        out = []
        kinds: tuple[Kind, ...] = ("understood", "repaired", "rare", "wrong")
        for kind in kinds:
            lines = self.of(kind)
            if not lines:
                continue
            out.append(titles[kind])
            width = min(max(len(line.name) for line in lines), 24)
            for line in lines:
                out.append(f"  {line.name:{width}s}  {line.text}")
                if line.repair:
                    out.append(f"  {'':{width}s}  -> {line.repair}")
        out.append("Nothing is wrong." if self.ok else f"{len(self.of('wrong'))} thing(s) must be mended.")
        return "\n".join(out)


def check_cube(
    data: Cube | xr.Dataset | str | Path,
    model: ProcessModel | str | None = None,
    targets: Sequence[Target | str] = (),
    *,
    pixels: int = _LOOKED_AT,
) -> CubeReport:
    """Look at data as a job would, and say everything at once.

    Names, units, time, space, mask, values against the vocabulary's ranges and the model's domain, days missing, observations
    that are composites. Of lazy data the metadata and a few pixels are read.

    Parameters
    ----------
    data : Cube, Dataset, str or path
        A cube, or what :meth:`gridcal.Cube.from_dataset` and :func:`gridcal.open_cube` take.
    model : ProcessModel or str, optional
        Whose forcing and site constants are needed; a name as of ``gridcal models list``.
    targets : sequence of Target or str, optional
        What the model is to be compared with; of a name, that observed variable of the cube (``gpp_obs``).
    pixels : int
        How many are looked at, spread evenly over those the mask leaves in.

    Returns
    -------
    CubeReport
        Printable; ``report.ok`` and ``report.require()`` for scripts.

    Examples
    --------
    >>> import gridcal as gc
    >>> cube = gc.synthetic.twin(4, 4, years=1).cube
    >>> gc.check_cube(cube, "lue", ["gpp_obs"]).ok
    True
    >>> print(gc.check_cube(gc.Cube.from_dataset(cube.data.drop_vars("vpd")), "lue").of("wrong")[0].text)
    the cube lacks forcing of model 'lue': 'vpd' (vapour pressure deficit, daily mean, kPa)
    """
    chosen = model_named(model) if isinstance(model, str) else model
    lines: list[Line] = []
    cube = _opened(data, lines)
    if cube is None:
        return CubeReport(tuple(lines))
    lines += [Line("repaired", "data", text) for text in cube.repairs]
    wanted: tuple[Target, ...] = ()
    if chosen is not None:
        cube = with_calendar(cube, chosen.forcing)
        wanted = tuple(t if isinstance(t, Target) else _target_of(t, chosen) for t in targets)
        cube = _names_and_units(cube, chosen, wanted, lines)
    elif targets:
        raise InputError("targets are checked against a model's outputs", "Name the model too")
    _values(cube, chosen, wanted, pixels, lines)
    return CubeReport(tuple(lines))


def _attempt(lines: list[Line], name: str, action: Callable[..., Any], *args: Any) -> Any:
    """What an action returns; its error and warnings become lines."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            found = action(*args)
        except GridcalError as error:
            lines.append(Line("wrong", name, error.problem, error.repair or ""))
            found = None
    lines += [Line("rare", name, str(w.message)) for w in told if issubclass(w.category, UserWarning)]
    return found


def _opened(data: Any, lines: list[Line]) -> Cube | None:
    """The cube, or None with everything that keeps it from being one."""
    if isinstance(data, Cube):
        return data
    before = len(lines)
    if isinstance(data, str | Path):
        cube: Cube | None = _attempt(lines, "data", open_cube, data)
        return cube
    need_dataset(data, "what is to be checked")
    cube = _attempt(lines, "data", Cube.from_dataset, data)
    if cube is not None:
        return cube
    del lines[before:]
    neat = _attempt(lines, "layout", taken, data)
    ds = data if neat is None else neat[0]
    _attempt(lines, "time", check_time, ds)
    _attempt(lines, "space", check_space, ds)
    for key in ds.data_vars:
        _attempt(lines, str(key), canonical_units, ds[[key]].reset_coords(drop=True))
    if len(lines) == before:
        _attempt(lines, "data", Cube.from_dataset, data)
    return None


def _target_of(name: str, model: ProcessModel) -> Target:
    """A target from the name of its observed variable: the output it begins with."""
    outputs = [*model.outputs, *model.extra_outputs]
    fitting = [o for o in outputs if name == o or name.startswith(f"{o}_")]
    if not fitting:
        raise InputError(
            f"{name!r} does not begin with the name of an output of model {model.name!r}",
            f"Give a Target(output, against={name!r}); outputs: {', '.join(model.outputs)}",
        )
    return Target(max(fitting, key=len), against=name)


def _names_and_units(cube: Cube, model: ProcessModel, targets: tuple[Target, ...], lines: list[Line]) -> Cube:
    data = cube.data
    lacking = [n for n in model.forcing if n not in data]
    if lacking:
        from gridcal.vocabulary.variables import VARIABLES

        named = ", ".join(
            f"{n!r}" + (f" ({VARIABLES[n].long_name}, {VARIABLES[n].units})" if n in VARIABLES else "") for n in lacking
        )
        lines.append(
            Line(
                "wrong", "forcing", f"the cube lacks forcing of model {model.name!r}: {named}",
                "Add them with cube.join(...), or map the file's names to them in a catalog entry (native:)",
            )
        )  # fmt: skip
    lacking = [n for n in model.site if n not in data and n not in model.site_default]
    if lacking:
        what = ", ".join(f"{n!r} ({model.site[n]})" for n in lacking)
        lines.append(
            Line("wrong", "site", f"the cube lacks site constants of model {model.name!r}: {what}", "Add static variables")
        )
    if model.steps == 1:
        _attempt(lines, "time", cube.require_daily)
    for target in targets:
        if str(target.against) not in data:
            _attempt(lines, str(target.against), cube.require, [str(target.against)])
            continue
        found = _attempt(lines, str(target.against), with_units_of, cube, model, [target])
        cube = cube if found is None else found
    return cube


def _values(cube: Cube, model: ProcessModel | None, targets: tuple[Target, ...], pixels: int, lines: list[Line]) -> None:
    data = cube.data
    names = [str(n) for n, x in data.data_vars.items() if x.dtype.kind in "fiu" and n != cube.mask_name]
    values = sampled_values(cube, names, pixels)
    ranges = {} if model is None else known_ranges(model, targets)
    hourly = is_hourly(data)
    for name in sorted(values):
        x = values[name]
        missing = float(np.isnan(x).mean()) if x.dtype.kind == "f" and x.size else 0.0
        known = x[np.isfinite(x)] if x.dtype.kind == "f" else x
        extent = f"{known.min():g} .. {known.max():g}" if known.size else "nothing"
        how = "" if data[name].chunks is None else f" of {pixels} pixels"
        units = data[name].attrs.get("units", "no units")
        lines.append(Line("understood", name, f"{units}: {extent}, {100.0 * missing:.3g} % missing{how}"))
        found = finding(name, x, ranges.get(name), hourly=hourly)
        if found is not None:
            lines.append(Line("wrong" if found.impossible else "rare", name, found.problem, found.repair))
    lines += [Line("understood", dim, text) for dim, text in cube.summary() if dim in cube.sizes]
    if cube.mask is not None:
        _mask(cube, lines)
    if model is None:
        return
    _attempt(lines, "forcing", check_domain, model, {n: values[n] for n in model.forcing if n in values})
    for name in model.forcing:
        series = values.get(name)
        if series is None or "time" not in data[name].dims or series.ndim == 0 or not series.size:
            continue
        gap = np.isnan(series).any(axis=0) & ~np.isnan(series).all(axis=0)
        if gap.any():
            rest = " from the first of them on" if model.state else " on these days"
            text = f"days are missing at {int(gap.sum())} of {gap.size} pixels: results are missing{rest}"
            lines.append(Line("rare", name, text, f"Fill short gaps by a stated rule: gridcal.fill_gaps(cube, [{name!r}])"))
    index = data.indexes.get("time")
    for target in targets:
        series = values.get(str(target.against))
        if series is None or not isinstance(index, pd.DatetimeIndex) or series.shape[:1] != (len(index),):
            continue
        columns = series.reshape(len(index), -1)
        if not np.isfinite(columns).any():
            lines.append(Line("rare", str(target.against), "no observation at the pixels looked at"))
        steps = [rhythm(index, np.isfinite(c)) for c in columns.T]
        if scale_name(target.every) != "daily" and any(steps):
            step = max(s for s in steps if s is not None)
            lines.append(
                Line(
                    "repaired",
                    str(target.against),
                    f"a value every {step} days: taken for composites, each the mean of its days",
                )
            )


def _mask(cube: Cube, lines: list[Line]) -> None:
    mask = cube.mask
    assert mask is not None
    assert cube.mask_name is not None
    used = mask.values
    lines.append(Line("understood", cube.mask_name, f"{int(used.sum())} of {used.size} pixels are used"))
    strange = np.setdiff1d(np.unique(cube.data[cube.mask_name].values), (0, 1))
    if strange.size and cube.data[cube.mask_name].dtype.kind != "b":
        text = f"holds {strange[0]} beside 0 and 1: only 1 is used"
        lines.append(Line("rare", cube.mask_name, text, f"Say what is meant: e.g. ds[{cube.mask_name!r}] > 0"))
    if not used.any():
        lines.append(Line("wrong", cube.mask_name, "the mask leaves no pixel in", "Is it true where a pixel is used?"))
