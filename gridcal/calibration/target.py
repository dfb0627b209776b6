"""What is calibrated against what: targets and parameter blocks."""

from __future__ import annotations

import dataclasses
from typing import Literal

from gridcal.errors import ConfigError
from gridcal.process.model import ProcessModel

Likelihood = Literal["profile", "fixed", "obs_variance"]


@dataclasses.dataclass(frozen=True)
class Target:
    """One observed variable a model output is compared with.

    Parameters
    ----------
    variable : str
        Model output.
    against : str
        Observed variable of the cube.
    every : str
        Time scale of the comparison: daily, 8-day, weekly, monthly or yearly. Means over the days with an observation.
    likelihood : {"profile", "fixed", "obs_variance"}
        Reading of the error variance: integrated out under Jeffreys' prior (default), given by `sigma`, or the variance of
        the observations (the first paper's literal text).
    sigma : float or str, optional
        Standard error of an observation at the scale of `every`, for ``likelihood="fixed"``; or the cube's variable that holds
        it day by day: a period's is the mean over its days with an observation, as for errors that days share.
    n_eff : float or "ar1", optional
        Effective number of observations, or its estimate from the observations' lag-1 autocorrelation.
    min_fraction : float
        Share of a period's days that must hold an observation.
    """

    variable: str
    against: str | None = None
    every: str = "8-day"
    likelihood: Likelihood = "profile"
    sigma: float | str | None = None
    n_eff: float | None = None
    min_fraction: float = 0.5

    def __post_init__(self) -> None:
        if self.against is None:
            object.__setattr__(self, "against", f"{self.variable}_obs")
        if self.likelihood not in ("profile", "fixed", "obs_variance"):
            raise ConfigError(
                f"unknown likelihood {self.likelihood!r} of target {self.variable!r}",
                "Use 'profile', 'fixed' or 'obs_variance'",
            )
        if self.likelihood == "fixed" and not (self.sigma if isinstance(self.sigma, str) else self.sigma and self.sigma > 0):
            raise ConfigError(f"target {self.variable!r} has likelihood 'fixed' but no sigma", "Give sigma > 0")
        if not 0.0 < self.min_fraction <= 1.0:
            raise ConfigError(f"min_fraction = {self.min_fraction} of target {self.variable!r}", "Use 0 < value <= 1")


@dataclasses.dataclass(frozen=True)
class Block:
    """Parameters calibrated together, against one target or several at once.

    Parameters
    ----------
    fit : tuple of str
        Parameters to calibrate; the others stay at their default or at the result of an earlier block.
    to : Target or tuple of Target
        What they are calibrated against. Of several the costs add up: each target's errors are independent of the others'.
    constraint : float
        Weight of the model's constraint cost: it adds ``constraint * n_observations * cost`` to -2 log L. 0 switches it off.
    carry : int
        Draws of the earlier blocks' posteriors this block is calibrated at, one after the other, and pooled over: their
        uncertainty is carried on. 0 holds the earlier blocks at their means.
    edc : {"reject", "penalise"}, optional
        What happens to parameters that violate the model's ecological and dynamic constraints: their run counts as failed, or
        twice the penalties are added to -2 log L (those without a finite penalty are rejected). Nothing without it.
    """

    fit: tuple[str, ...]
    to: Target | tuple[Target, ...]
    constraint: float = 1.0
    carry: int = 0
    edc: Literal["reject", "penalise"] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "fit", tuple(self.fit))
        if not isinstance(self.to, Target):
            object.__setattr__(self, "to", tuple(self.to))
        if not self.targets:
            raise ConfigError("a block has no target", "Give at least one in `to`")
        if not self.fit:
            raise ConfigError("a block has no parameters to fit", "Name at least one in `fit`")
        if len(set(self.fit)) != len(self.fit):
            raise ConfigError(f"a block names a parameter twice: {', '.join(self.fit)}", "Name each once")
        if self.constraint < 0:
            raise ConfigError(f"constraint weight {self.constraint} is negative", "Use 0 or more")
        if isinstance(self.carry, bool) or not isinstance(self.carry, int) or self.carry < 0:
            raise ConfigError(f"carry = {self.carry!r} of a block is no number of draws", "Use a whole number, 0 or more")
        if self.edc not in (None, "reject", "penalise"):
            raise ConfigError(f"unknown edc {self.edc!r} of a block", "Use 'reject', 'penalise' or None")

    @property
    def targets(self) -> tuple[Target, ...]:
        """The targets, one or more."""
        return (self.to,) if isinstance(self.to, Target) else self.to

    @property
    def aim(self) -> str:
        """What the block is calibrated against, in words."""
        return " and ".join(f"{t.against} every {t.every}" for t in self.targets)

    def check(self, model: ProcessModel) -> None:
        """Raise :class:`ConfigError` unless `model` has the block's parameters and outputs."""
        for name in self.fit:
            model.parameters[name]
        if self.edc and not any(c.kind == "edc" for c in model.constraints):
            raise ConfigError(
                f"model {model.name!r} declares no ecological and dynamic constraints", "Leave out edc, or use DALEC"
            )
        known = {**model.outputs, **model.extra_outputs}
        for target in self.targets:
            if target.variable not in known:
                raise ConfigError(
                    f"target {target.variable!r} is not an output of model {model.name!r}",
                    f"It has: {', '.join(model.outputs)}",
                )
