"""How far a model's numbers lie from reference numbers."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

FLOOR = 1.0e-9


@dataclasses.dataclass(frozen=True)
class Deviation:
    """One row of a comparison.

    Parameters
    ----------
    check, variable : str
        What was compared.
    n : int
        Number of values.
    worst : float
        Measure of the deviation, in the units of `tolerance`.
    tolerance : float
        Largest measure that passes.
    within : float
        Share of the values within the tolerance.
    passed : bool
        Whether the row passes.
    note : str
        What else there is to say.
    """

    check: str
    variable: str
    n: int
    worst: float
    tolerance: float
    within: float
    passed: bool
    note: str = ""


def scaled(found: npt.ArrayLike, reference: npt.ArrayLike, scale: npt.ArrayLike | None = None) -> np.ndarray:
    """Deviation of each value relative to max(abs(reference), spread), the spread being max - min of `scale` or reference.

    No size below 1e-9: a column that is 0 throughout may differ by rounding.
    """
    x, y = np.asarray(found, dtype=float), np.asarray(reference, dtype=float)
    gap = np.abs(x - y)
    out = gap / size_of(y if scale is None else scale)
    return np.where(np.isfinite(x), out, np.inf)


def size_of(scale: npt.ArrayLike) -> np.ndarray:
    """What a deviation is measured against: the absolute value or the spread of all values, whichever is larger."""
    base = np.asarray(scale, dtype=float)
    return np.maximum(np.maximum(np.abs(base), np.ptp(base) if base.size else 0.0), FLOOR)


def relative(
    check: str,
    variable: str,
    found: npt.ArrayLike,
    reference: npt.ArrayLike,
    tolerance: float,
    scale: npt.ArrayLike | None = None,
) -> Deviation:
    """Row that passes if every value lies within the tolerance of max(abs(reference), spread)."""
    off = scaled(found, reference, scale)
    worst = float(off.max(initial=0.0))
    return Deviation(check, variable, off.size, worst, tolerance, float(np.mean(off <= tolerance)), worst <= tolerance)


def rmsd(check: str, variable: str, found: npt.ArrayLike, reference: npt.ArrayLike, tolerance: float) -> Deviation:
    """Row that passes if the root mean square deviation is below the tolerance (both in the variable's units)."""
    gap = np.asarray(found, dtype=float) - np.asarray(reference, dtype=float)
    value = float(np.sqrt(np.mean(gap**2))) if gap.size else 0.0
    value = value if np.isfinite(value) else np.inf
    return Deviation(check, variable, gap.size, value, tolerance, float(np.mean(np.abs(gap) <= tolerance)), value <= tolerance)


def digits(check: str, variable: str, found: npt.ArrayLike, reference: npt.ArrayLike, stored: int) -> Deviation:
    """Row that passes if every value is the reference's to the digits stored: half a unit of the last one."""
    x, y = np.asarray(found, dtype=float), np.asarray(reference, dtype=float)
    unit = 10.0 ** (np.floor(np.log10(np.where(y == 0.0, 1.0, np.abs(y)))) - (stored - 1))
    off = np.where(np.isfinite(x), np.abs(x - y) / unit, np.inf)
    tolerance = 0.5 * (1.0 + 1.0e-6)  # a tie may be rounded either way
    worst = float(off.max(initial=0.0))
    return Deviation(check, variable, off.size, worst, tolerance, float(np.mean(off <= tolerance)), worst <= tolerance)
