"""The method of Morris: its settings, its trajectories in the unit cube, the parameters they stand for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from gridcal.errors import ConfigError
from gridcal.kernels.elementary_effects import step_size, trajectories
from gridcal.process.parameters import ParameterTable, Scale

Array = npt.NDArray[np.float64]
Functional = Literal["mean", "change", "cost"]

_STAGE = 2  # of the random streams: 0 samples pixels, 1 calibrates


@dataclasses.dataclass(frozen=True)
class Morris:
    """Screening by elementary effects (Morris 1991; mu* of Campolongo et al. 2007).

    Parameters
    ----------
    trajectories : int
        Trajectories; each costs d + 1 model runs a pixel.
    levels : int
        Levels of the grid in the unit cube, even. A step is levels / (2 (levels - 1)) of a parameter's range.
    seed : int
        Of trajectories and bootstrap, which all pixels share.
    parameters : tuple of str, optional
        Parameters to screen; all of the model without it. The others stay at their start values.
    scale : {"linear", "log10"} or mapping of name to either
        Coordinate of a parameter in the unit cube. In log10 small values of a parameter that spans decades get their share:
        another screening with other ranks, not a refinement.
    functional : {"mean", "change", "cost"}
        What an effect is the change of. ``mean``: time mean of the target's series of period means. ``change``: mean absolute
        change of that series, which sees a shift in time that leaves the mean as it was. ``cost``: -2 log likelihood.
    pool : int, optional
        Draw this many trajectories and keep those farthest apart (Campolongo et al. 2007, Ruano et al. 2012).
    resample : int
        Bootstrap samples of the interval of mu*; 0 for none.
    confidence : float
        Of that interval.

    Raises
    ------
    ConfigError
        If a value is impossible.

    Examples
    --------
    >>> method = Morris(trajectories=10, parameters=("eps_max", "kT"))
    >>> method.points(2).shape, round(method.step, 3)
    ((10, 3, 2), 0.667)
    """

    trajectories: int = 20
    levels: int = 4
    seed: int = 0
    parameters: tuple[str, ...] | None = None
    scale: Scale | Mapping[str, Scale] = "linear"
    functional: Functional = "mean"
    pool: int | None = None
    resample: int = 1000
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if self.parameters is not None:
            object.__setattr__(self, "parameters", tuple(self.parameters))
            self._check_names(self.parameters)
        if self.trajectories < 2:
            raise ConfigError(f"trajectories = {self.trajectories}", "Use at least 2: sigma is a standard deviation over them")
        if self.levels < 2 or self.levels % 2:
            raise ConfigError(f"levels = {self.levels}", "Use an even number: with an odd one some levels are drawn more often")
        if self.functional not in get_args(Functional):
            raise ConfigError(f"unknown functional {self.functional!r}", f"Use one of: {', '.join(get_args(Functional))}")
        if self.pool is not None and self.pool < self.trajectories:
            raise ConfigError(
                f"pool = {self.pool} holds fewer than the {self.trajectories} trajectories", "Use a larger pool, or none"
            )
        if self.resample < 0 or self.resample == 1:
            raise ConfigError(f"resample = {self.resample}", "Use 0, or some hundreds of bootstrap samples")
        if not 0.0 < self.confidence < 1.0:
            raise ConfigError(f"confidence = {self.confidence}", "Use a share between 0 and 1")
        for scale in self.scale.values() if isinstance(self.scale, Mapping) else (self.scale,):
            if scale not in get_args(Scale):
                raise ConfigError(f"unknown scale {scale!r}", f"Use one of: {', '.join(get_args(Scale))}")

    @staticmethod
    def _check_names(names: tuple[str, ...]) -> None:
        if not names:
            raise ConfigError("no parameter to screen", "Name at least one, or leave `parameters` out for all")
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ConfigError(f"parameter {twice[0]!r} is named twice", "Name each once")

    @property
    def step(self) -> float:
        """Step of a trajectory, as a share of a parameter's range."""
        return step_size(self.levels)

    def table(self, parameters: ParameterTable) -> ParameterTable:
        """Parameters to screen, in the model's order, with the scale of their coordinate.

        Raises
        ------
        ConfigError
            If the model has no such parameter, or one that touches 0 should be on a logarithmic scale.
        """
        named = self.parameters or parameters.names
        scales = dict(self.scale) if isinstance(self.scale, Mapping) else {}
        for name in (*named, *scales):
            parameters[name]
        stray = [name for name in scales if name not in named]
        if stray:
            raise ConfigError(f"scale names {stray[0]!r}, which is not screened", "Screen it, or leave its scale out")
        other: Scale = "linear" if isinstance(self.scale, Mapping) else self.scale
        entries = [p for p in parameters if p.name in named]
        return ParameterTable(tuple(dataclasses.replace(p, scale=scales.get(p.name, other)) for p in entries))

    def points(self, d: int) -> Array:
        """Trajectories of d parameters in the unit cube, shape (trajectories, d + 1, d): the same in every call."""
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(_STAGE, 0)))
        return trajectories(self.trajectories, d, self.levels, rng, self.pool)

    def draws(self) -> Array:
        """Uniform numbers of the bootstrap, shape (resample, trajectories)."""
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(_STAGE, 1)))
        return rng.random((self.resample, self.trajectories))
