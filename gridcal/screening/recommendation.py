"""Which parameters to calibrate: effects brought to one scale, compared over the pixels."""

from __future__ import annotations

import dataclasses

import numpy as np
import xarray as xr

from gridcal.errors import ConfigError, InputError

NEAR = 0.1
"""Share of the threshold from which a dropped parameter's evenness is looked at."""
UNEVEN = 2.0
"""Ratio of sigma to mu* from which an effect is called uneven: a share of 1 in 5 trajectories with an equal effect has it."""

_STATISTICS = ("mu_star", "sigma", "mu_star_low", "mu_star_high")


@dataclasses.dataclass(frozen=True)
class Recommendation:
    """What a screening says about each parameter.

    Parameters
    ----------
    kept : dict of str to tuple of str
        By target the parameters to keep, most influential first.
    warnings : tuple of str
        Decisions to look at before a parameter is dropped, or kept.
    table : Dataset, dims (target, parameter)
        Medians over the pixels, divided by the pixel's largest mu*: ``mu_star``, ``sigma``, ``mu_star_low``,
        ``mu_star_high``; ``ratio`` (median of sigma / mu*), ``rank`` (1 is the largest), ``keep`` and ``doubtful``.
    threshold : float
        Normalised mu* above which a parameter is kept.
    """

    kept: dict[str, tuple[str, ...]]
    warnings: tuple[str, ...]
    table: xr.Dataset
    threshold: float

    @property
    def parameters(self) -> tuple[str, ...]:
        """Parameters kept for any target, in the model's order."""
        return tuple(str(p) for p in self.table["parameter"].values if any(str(p) in names for names in self.kept.values()))

    def __str__(self) -> str:
        lines = [f"{target}: {', '.join(names) or 'none'}" for target, names in self.kept.items()]
        return "\n".join([*lines, *(f"look again: {text}" for text in self.warnings)])


def normalised(effects: xr.Dataset) -> xr.Dataset:
    """Statistics divided by the pixel's largest mu*, target by target; NaN where a pixel has none above 0.

    Parameters
    ----------
    effects : Dataset
        Result of :func:`gridcal.screen`.

    Returns
    -------
    Dataset
        ``mu_star``, ``sigma`` and, if there, ``mu_star_low`` and ``mu_star_high``, dimensionless.
    """
    largest = effects["mu_star"].max("parameter")
    largest = largest.where(largest > 0.0)
    found = xr.Dataset({name: effects[name] / largest for name in _STATISTICS if name in effects})
    for name in found.data_vars:
        found[name].attrs = {"units": "1", "long_name": f"{name} over the pixel's largest mu_star"}
    return found


def recommend(effects: xr.Dataset, threshold: float = 0.1) -> Recommendation:
    """Parameters worth calibrating: those whose normalised mu* exceeds a threshold in the median pixel.

    Parameters
    ----------
    effects : Dataset
        Result of :func:`gridcal.screen`.
    threshold : float
        Share of the pixel's largest mu*.

    Returns
    -------
    Recommendation
        By target, with warnings for a parameter that is dropped although its sigma reaches the threshold (rarely but
        strongly felt, as a date or a temperature threshold is), although its bootstrap interval reaches it, or although its
        sigma is at least twice its mu* and its mu* not below a tenth of the threshold; or kept although the interval starts
        below. Before one of these is dropped, screen it with ``functional="change"``, which sees a shift in time.

    Raises
    ------
    InputError
        If no pixel has effects for a target.
    ConfigError
        If the threshold is not between 0 and 1.

    Notes
    -----
    The threshold has no source: state it with the list. A parameter whose effect is exactly 0 everywhere is never doubtful.

    Examples
    --------
    >>> x = xr.DataArray([[[4.0, 2.0], [0.2, 0.1], [0.0, 0.0]]], dims=("target", "parameter", "pixel"))
    >>> effects = xr.Dataset({"mu_star": x, "sigma": 3.0 * x}, {"target": ["lai"], "parameter": ["p18", "p19", "rroot"]})
    >>> print(recommend(effects))
    lai: p18
    look again: lai: p19 is dropped at 0.05 of the largest mu*, but its sigma is 0.15: it acts seldom and strongly
    """
    if not 0.0 < threshold < 1.0:
        raise ConfigError(f"threshold = {threshold}", "Use a share of the largest mu* between 0 and 1")
    effects = effects.compute()
    space = [d for d in effects["mu_star"].dims if d not in ("target", "parameter")]
    scaled = normalised(effects)
    usable = scaled["mu_star"].notnull().all("parameter").any(space).values
    if not usable.all():
        lacking = str(effects["target"].values[~usable][0])
        raise InputError(
            f"no pixel has effects on {lacking!r} above 0",
            "Look at effects.status and n_failed; screen other pixels or another target",
        )
    table = scaled.median(space)
    zero = effects["mu_star"] == 0.0
    ratio = (effects["sigma"] / effects["mu_star"].where(~zero)).median(space)
    middle = table["mu_star"]
    table["ratio"] = ratio.assign_attrs(units="1", long_name="sigma / mu_star")
    order = np.argsort(np.argsort(-middle.values, axis=1, kind="stable"), axis=1, kind="stable") + 1
    table["rank"] = (middle.dims, order, {"units": "1", "long_name": "rank of mu_star"})
    table["keep"] = middle > threshold
    kept: dict[str, tuple[str, ...]] = {}
    warnings: list[str] = []
    doubtful = np.zeros(middle.shape, dtype=bool)
    for i, target in enumerate(map(str, table["target"].values)):
        names = [str(p) for p in table["parameter"].values]
        best = [int(j) for j in np.argsort(order[i], kind="stable")]
        kept[target] = tuple(names[j] for j in best if bool(table["keep"].values[i, j]))
        for j in best:
            text = _doubt({str(k): float(x.values[i, j]) for k, x in table.data_vars.items()}, threshold)
            doubtful[i, j] = bool(text)
            warnings += [f"{target}: {names[j]} {text}"] if text else []
    table["doubtful"] = (middle.dims, doubtful, {"long_name": "look again before deciding"})
    table.attrs = {"threshold": threshold, **{k: v for k, v in effects.attrs.items() if k not in ("fingerprint", "made_from")}}
    return Recommendation(kept, tuple(warnings), table, threshold)


def _doubt(row: dict[str, float], threshold: float) -> str:
    """Why the decision on one parameter is doubtful; empty if it is not."""
    size, low, high = row["mu_star"], row.get("mu_star_low", np.nan), row.get("mu_star_high", np.nan)
    if size > threshold:
        if low <= threshold:
            return f"is kept at {size:.2g} of the largest mu*, but its bootstrap interval starts at {low:.2g}"
        return ""
    if row["sigma"] >= threshold:
        return f"is dropped at {size:.2g} of the largest mu*, but its sigma is {row['sigma']:.2g}: it acts seldom and strongly"
    if high > threshold:
        return f"is dropped at {size:.2g} of the largest mu*, but its bootstrap interval reaches {high:.2g}"
    if size >= NEAR * threshold and row["ratio"] >= UNEVEN:
        return f"is dropped at {size:.2g} of the largest mu*, but its sigma is {row['ratio']:.2g} times its mu*"
    return ""
