"""Cost of a model run: -2 log likelihood of independent Gaussian errors under three readings of their variance."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Kind = Literal["profile", "fixed", "obs_variance"]
KINDS = ("profile", "fixed", "obs_variance")

RELATIVE_FLOOR = 1e-6
"""Least residual the profile likelihood tells from none, in standard deviations of the observations."""


def is_constant(means: Array) -> bool:
    """Whether observed means, shape (n,), hold nothing to calibrate against: means of a constant differ by rounding."""
    return bool(means.size) and float(np.ptp(means)) <= 1e-12 * float(np.abs(means).max())


def lag_one_correlation(series: Array) -> float:
    """Correlation of a series, shape (T,), with itself one step later, over the pairs without NaN; 0 if undefined."""
    valid = np.isfinite(series)
    if valid.sum() < 3:
        return 0.0
    deviation = series - series[valid].mean()
    both = valid[1:] & valid[:-1]
    variance = float(np.mean(deviation[valid] ** 2))
    if variance == 0.0 or both.sum() < 2:
        return 0.0
    return float(np.mean(deviation[1:][both] * deviation[:-1][both]) / variance)


def effective_observations(series: Array) -> float:
    """Number of independent values that hold as much information on the mean as a first-order autoregressive series.

    ``n (1 - rho) / (1 + rho)`` with the lag-1 correlation rho of the series, taken as 0 where it is negative.

    Parameters
    ----------
    series : array, shape (T,)
        Residuals or observations in order of time, NaN where missing.

    Returns
    -------
    float
        Between 1 and the number of values that are not NaN.

    Examples
    --------
    >>> import numpy as np
    >>> effective_observations(np.array([1.0, -1.0, 1.0, -1.0]))
    4.0
    """
    n = int(np.isfinite(series).sum())
    rho = min(max(lag_one_correlation(series), 0.0), 0.999)
    return max(1.0, n * (1.0 - rho) / (1.0 + rho))


@dataclasses.dataclass(frozen=True)
class GaussianLikelihood:
    """Cost as a function of the sum of squared residuals.

    Parameters
    ----------
    kind : {"profile", "fixed", "obs_variance"}
        ``fixed``: cost = (n_eff / n) sum((model - obs)^2 / sigma^2). ``obs_variance``: the same with sigma^2 the variance of
        the observations, so that cost = n_eff (1 - NSE). ``profile``: the variance is integrated out under Jeffreys' prior,
        cost = n_eff log sum((model - obs)^2).
    valid : bool array, shape (T,)
        Steps with an observation.
    observations : array, shape (n,)
        The observations at those steps.
    sigma : array, shape (n,)
        What residuals are divided by; 1 for ``profile``.
    n_eff : float
        Effective number of observations.
    """

    kind: Kind
    valid: npt.NDArray[np.bool_]
    observations: Array
    sigma: Array
    n_eff: float

    @classmethod
    def of(
        cls, kind: Kind, observations: Array, sigma: float | Array | None = None, n_eff: float | Literal["ar1"] | None = None
    ) -> GaussianLikelihood:
        """Likelihood of a series of observations.

        Parameters
        ----------
        kind : {"profile", "fixed", "obs_variance"}
            Reading of the error variance.
        observations : array, shape (T,)
            NaN where missing.
        sigma : float or array of shape (T,), optional
            Standard errors, for ``fixed``; a step whose error is not a positive number is left out.
        n_eff : float or "ar1", optional
            Effective number of observations; ``"ar1"`` starts from the full number until residuals are known.
        """
        valid = np.isfinite(observations)
        if kind == "fixed":
            errors = np.broadcast_to(np.asarray(sigma, dtype=float), valid.shape)
            valid = valid & np.isfinite(errors) & (errors > 0)
            scale = np.array(errors[valid])
        observed = observations[valid]
        if kind == "obs_variance":
            scale = np.full(observed.size, observed.std())
        elif kind == "profile":
            scale = np.ones(observed.size)
        count = float(observed.size)
        if n_eff is not None and n_eff != "ar1":
            count = float(n_eff)
        return cls(kind, valid, observed, scale, count)

    @property
    def n(self) -> int:
        """Number of observations."""
        return int(self.observations.size)

    @property
    def is_profile(self) -> bool:
        """Whether the cost is n_eff log(sum of squares)."""
        return self.kind == "profile"

    @property
    def floor(self) -> float:
        """Least sum of squares of the profile cost, so that a perfect fit has a finite one."""
        return self.n * (RELATIVE_FLOOR * float(self.observations.std())) ** 2

    @property
    def constant(self) -> float:
        """What the cost lacks to be -2 log likelihood."""
        if self.is_profile:
            half = 0.5 * self.n_eff
            return self.n_eff * math.log(math.pi) - 2.0 * math.lgamma(half) + 2.0 * math.log(2.0)
        return self.n_eff / self.n * float(np.log(2.0 * np.pi * self.sigma**2).sum())

    def discounted(self, residuals: Array) -> GaussianLikelihood:
        """The same with n_eff from the lag-1 correlation of one run's residuals, shape (n,)."""
        series = np.full(self.valid.shape, np.nan)
        series[self.valid] = residuals
        return dataclasses.replace(self, n_eff=effective_observations(series))

    def residuals(self, simulated: Array) -> Array:
        """(model - observation) / sigma at the observed steps: (m, T) to (m, n)."""
        return (simulated[:, self.valid] - self.observations) / self.sigma

    def cost(self, square_sum: Array) -> Array:
        """Cost, up to `constant`, of sums of squared residuals."""
        if self.is_profile:
            return self.n_eff * np.log(np.maximum(square_sum, self.floor))
        return (self.n_eff / self.n) * np.asarray(square_sum)
