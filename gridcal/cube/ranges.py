"""Values against the vocabulary's valid ranges: the impossible is an error, the rare a warning.

Kelvin declared as degrees Celsius, per cent declared as a fraction, or a code for missing values that no attribute declares,
are legal units: only values can tell. A value is called impossible where it lies outside its range by more than the range is
wide, or is one of the codes that data sets write for missing values.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import xarray as xr

from gridcal.cube.dataset import Cube
from gridcal.errors import InputError
from gridcal.vocabulary.units import alternatives, is_flux
from gridcal.vocabulary.variables import VARIABLES, Variable

CODES = (-9999.0, -999.0, -99.0, -6999.0, -999.9, -9999.9, -99999.0, -32768.0, -32767.0, 9999.0, 32767.0, 65535.0, 99999.0)
"""What data sets write for a missing value; beyond a magnitude of 1e19 anything is one."""
_SINGLE = np.asarray(CODES, dtype=np.float32)
_ROUNDING = 1e-6
_NO_NUMBER = 1e19
_APART = 2.0
_NEXT_TO_NOTHING = 1e-4
_HOURS_WIDER = 20.0


class RangeWarning(UserWarning):
    """Values lie outside the vocabulary's valid range, though not impossibly far."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """What is wrong with the values of a variable.

    Parameters
    ----------
    problem, repair : str
        In words.
    impossible : bool
        Whether it is an error; otherwise it is rare.
    """

    problem: str
    repair: str
    impossible: bool

    @property
    def text(self) -> str:
        """Both, in one sentence each."""
        return f"{self.problem}. {self.repair}"


def finding(
    name: str, values: np.ndarray, like: str | None = None, units: str | None = None, *, hourly: bool = False
) -> Finding | None:
    """What is wrong with some values of a variable; None if they are possible, or nothing is known of it.

    Parameters
    ----------
    name : str
        The variable.
    values : array
        In the vocabulary's units; NaN is missing.
    like : str, optional
        Variable of the vocabulary whose range holds, for observations under a name of one's own.
    units : str, optional
        Units of the values where they are not the vocabulary's of `like`: nothing is known of them then.
    hourly : bool
        Whether the values stand for less than a day. The vocabulary's ranges are those of days: an hour's rain or light may go
        far beyond, so only what is impossible by more is found.
    """
    known = VARIABLES.get(name) or VARIABLES.get(like or "")
    if values.dtype.kind not in "fiu" or values.size == 0:
        return None
    if known is None or known.valid_range is None:
        return code_apart(name, values) if known is None else None
    if units is not None and units != known.units:
        return None
    lowest, highest = values.min(), values.max()
    if np.isnan(lowest):
        lowest, highest = np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)
    low, high = known.valid_range
    slack = _ROUNDING * (high - low)
    if np.isnan(lowest):
        return None
    if low - slack <= lowest and highest <= high + slack:
        return _hardly_anything(name, known, float(lowest), float(highest))
    flat = values[np.isfinite(values)].astype(float)
    outside = flat[(flat < low - slack) | (flat > high + slack)]
    if outside.size == 0:  # infinite values alone
        outside = values[np.isinf(values)].astype(float)
    where = f"outside its range of {low:g} to {high:g} {known.units}"
    codes = np.unique(outside[are_codes(outside)])
    if codes.size:
        return _undeclared(name, float(codes[0]), int(np.isin(outside, codes).sum()), where)
    share = outside.size / max(flat.size, 1)
    problem = (
        f"variable {name!r} reaches {outside[np.argmax(np.abs(outside - (low + high) / 2))]:g} {known.units}, {where} "
        f"({outside.size} of {flat.size} values)"
    )
    width = (_HOURS_WIDER if hourly else 1.0) * (high - low)
    far = bool(((outside < low - width) | (outside > high + width)).any())
    if hourly and not far:
        return None
    fitting = alternatives(known, float(flat.min()), float(flat.max())) if share > 0.5 else []
    if fitting:
        meant = " or ".join(repr(u) for u in fitting)
        return Finding(problem, f"Are its units {meant}? Declare them: ds[{name!r}].attrs['units']", True)
    repair = f"Check its units and the data, or leave these values out: ds[{name!r}].where(...)"
    return Finding(problem, repair, far)


def are_codes(values: np.ndarray) -> npt.NDArray[np.bool_]:
    """True where a number is one that data sets write for a missing value, in double or single precision."""
    x = np.asarray(values)
    return np.isin(x.astype(np.float32), _SINGLE) | (np.abs(x) > _NO_NUMBER)


def code_apart(name: str, values: np.ndarray) -> Finding | None:
    """A code for missing values among values that all lie far from it; of variables whose range or units nobody knows."""
    ends = [float(e) for e in (np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)) if np.isfinite(e)]
    codes = [e for e in ends if are_codes(np.array(e))]
    if not codes:
        return None
    flat = values[np.isfinite(values)].astype(float)
    rest = flat[~np.isin(flat, codes)]
    if rest.size == 0:
        return None
    width = rest.max() - rest.min()
    apart = [c for c in codes if max(rest.min() - c, c - rest.max()) > _APART * width + 1.0]
    return _undeclared(name, apart[0], int((flat == apart[0]).sum()), "far from all other values") if apart else None


def _undeclared(name: str, code: float, n: int, where: str) -> Finding:
    return Finding(
        f"variable {name!r} holds {code:g} {n} times, {where}: a code for missing values that nothing declares",
        f"Declare it (fill_values: [{code:g}] in the catalog entry), or mask it: ds[{name!r}].where(ds[{name!r}] != {code:g})",
        True,
    )


def _hardly_anything(name: str, known: Variable, lowest: float, highest: float) -> Finding | None:
    """A flux that never reaches a ten-thousandth of its range, as one in kg m-2 s-1 does that is called g m-2 d-1."""
    assert known.valid_range is not None
    largest = max(abs(lowest), abs(highest))
    if not 0.0 < largest < _NEXT_TO_NOTHING * max(map(abs, known.valid_range)) or not is_flux(known.units):
        return None
    fitting = alternatives(known, lowest, highest)
    if not fitting:
        return None
    meant = " or ".join(repr(u) for u in fitting)
    problem = f"variable {name!r} never reaches more than {largest:g} {known.units}, next to nothing"
    return Finding(problem, f"Are its units {meant}? Declare them: ds[{name!r}].attrs['units']", False)


def check_values(
    named: Mapping[str, np.ndarray], like: Mapping[str, str] | None = None, *, hourly: bool = False, stacklevel: int = 2
) -> None:
    """Raise or warn about what is wrong with some arrays of values.

    Parameters
    ----------
    named : mapping
        Values by variable, in the vocabulary's units.
    like : mapping, optional
        Variable of the vocabulary whose range holds, by variable.
    hourly : bool
        Whether the values stand for less than a day.
    stacklevel : int
        Of the warnings.

    Raises
    ------
    InputError
        For the first variable with an impossible value.

    Warns
    -----
    RangeWarning
        For each variable with a rare one.
    """
    for name, values in named.items():
        found = finding(name, values, (like or {}).get(name), hourly=hourly)
        if found is None:
            continue
        if found.impossible:
            raise InputError(found.problem, found.repair)
        warnings.warn(found.text, RangeWarning, stacklevel=stacklevel + 1)


def check_ranges(cube: Cube, *, pixels: int = 8, variables: Iterable[str] | None = None, stacklevel: int = 2) -> list[Finding]:
    """Look at the values of a few pixels, or of all where the cube is in memory.

    Parameters
    ----------
    cube : Cube
        The cube; of a lazy one a few pixels are read, evenly spread over those the mask leaves in.
    pixels : int
        How many.
    variables : iterable of str, optional
        These only.
    stacklevel : int
        Of the warnings.

    Returns
    -------
    list of Finding
        What is wrong, impossible and rare. Each is also issued as :class:`RangeWarning`.
    """
    names = [str(n) for n in cube.data.data_vars] if variables is None else list(variables)
    found, hourly = [], is_hourly(cube.data)
    for name, values in sampled_values(cube, names, pixels).items():
        wrong = finding(name, values, hourly=hourly)
        if wrong is not None:
            warnings.warn(wrong.text, RangeWarning, stacklevel=stacklevel)
            found.append(wrong)
    return found


def is_hourly(ds: xr.Dataset) -> bool:
    """Whether the first two times are less than a day apart."""
    index = ds.indexes.get("time")
    return index is not None and len(index) > 1 and bool((index[1] - index[0]) < np.timedelta64(23, "h"))


def sampled_values(cube: Cube, names: Sequence[str], pixels: int = 8) -> dict[str, np.ndarray]:
    """Values of numbers of a cube within its mask: all that are in memory, and of lazy ones those of a few pixels."""
    held = [n for n in names if n in cube.data and cube.data[n].dtype.kind in "fiu"]
    lazy = [n for n in held if cube.data[n].chunks is not None]
    mask = cube.mask
    found = {}
    for name in held:
        if name not in lazy:
            x = cube.data[name]
            found[name] = (x if mask is None or mask.chunks is not None else x.where(mask)).values
    if lazy:
        few = _few(Cube(cube.data[[*lazy, *([cube.mask_name] if cube.mask_name else [])]], (), cube.mask_name), pixels)
        loaded = few.data[lazy].compute()
        found |= {name: loaded[name].values for name in lazy}
    return {name: found[name] for name in held}


def _few(cube: Cube, pixels: int) -> Cube:
    dims = cube.space_dims
    if not dims:
        return cube
    if dims == ("lat", "lon"):
        mask = cube.mask
        shape = (cube.data.sizes["lat"], cube.data.sizes["lon"])
        used = np.arange(shape[0] * shape[1]) if mask is None else np.flatnonzero(mask.transpose(*dims).values.ravel())
        return cube.sel(pixel=_spread(used, pixels)) if used.size else cube.isel(lat=[0], lon=[0])
    used = np.arange(cube.data.sizes[dims[0]]) if cube.mask is None else np.flatnonzero(cube.mask.values)
    return cube.isel(**{dims[0]: _spread(used, pixels)})


def _spread(numbers: np.ndarray, pixels: int) -> np.ndarray:
    # midpoints of equal shares: not the grid's rim, where grids are padded
    positions = ((np.arange(pixels) + 0.5) * numbers.size / pixels).astype(int)
    return np.unique(numbers[positions]) if numbers.size else numbers
