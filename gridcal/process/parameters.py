"""Parameter tables: default, bounds, units, scale and source of every parameter, and the unit cube they span."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from gridcal.errors import ConfigError

Scale = Literal["linear", "log10"]
Array = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One parameter of a process model.

    Parameters
    ----------
    name : str
        The name used in the paper; also the kernel's argument, the cube's variable and the configuration key.
    default, lower, upper : float
        Default value and bounds, in `units`.
    units : str
        Units, CF style.
    description : str
        What it is.
    source : str
        Where default and bounds come from.
    scale : {"linear", "log10"}
        Coordinate of design, surrogate and search. The prior stays uniform in physical units.
    step : float
        Size of whole steps the model sees (``ceil(theta / step) * step``); 0 for a continuous parameter.
    inert : bool
        True if the parameter is known to have no effect on any output.
    """

    name: str
    default: float
    lower: float
    upper: float
    units: str
    description: str
    source: str
    scale: Scale = "linear"
    step: float = 0.0
    inert: bool = False

    def __post_init__(self) -> None:
        if not self.lower < self.upper:
            raise ConfigError(
                f"bounds of parameter {self.name!r} are in the wrong order: lower {self.lower} >= upper {self.upper}",
                "Give the lower bound first",
            )
        if not self.lower <= self.default <= self.upper:
            raise ConfigError(
                f"default {self.default} of parameter {self.name!r} lies outside its bounds {self.lower} .. {self.upper}",
                "Move the default or the bounds",
            )
        if self.scale == "log10" and self.lower * self.upper <= 0:
            raise ConfigError(
                f"parameter {self.name!r} has scale 'log10' but bounds {self.lower} .. {self.upper} that touch or cross 0",
                "Use scale 'linear' or bounds of one sign",
            )


@dataclasses.dataclass(frozen=True)
class ParameterTable:
    """An ordered, named table of parameters and the unit cube they span.

    Parameters
    ----------
    entries : tuple of Parameter
        The parameters in public order.

    Examples
    --------
    >>> table = ParameterTable((Parameter("k", 2.0, 0.0, 10.0, "d-1", "a rate", "example"),))
    >>> table.to_unit([[5.0]])
    array([[0.5]])
    """

    entries: tuple[Parameter, ...]

    def __post_init__(self) -> None:
        names = [p.name for p in self.entries]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ConfigError(f"parameter {twice[0]!r} is declared twice", "Remove one of the two entries")

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, name: str) -> Parameter:
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise ConfigError(f"unknown parameter {name!r}", f"Known parameters: {', '.join(self.names)}")

    @property
    def names(self) -> tuple[str, ...]:
        """Names in public order."""
        return tuple(p.name for p in self.entries)

    @property
    def default(self) -> Array:
        """Defaults, shape (parameter,)."""
        return np.array([p.default for p in self.entries])

    @property
    def lower(self) -> Array:
        """Lower bounds, shape (parameter,)."""
        return np.array([p.lower for p in self.entries])

    @property
    def upper(self) -> Array:
        """Upper bounds, shape (parameter,)."""
        return np.array([p.upper for p in self.entries])

    @property
    def step(self) -> Array:
        """Whole-step sizes, shape (parameter,); 0 for continuous parameters."""
        return np.array([p.step for p in self.entries])

    @property
    def log(self) -> npt.NDArray[np.bool_]:
        """True where the coordinate is logarithmic, shape (parameter,)."""
        return np.array([p.scale == "log10" for p in self.entries])

    def index(self, name: str) -> int:
        """Position of `name` in the public order."""
        return self.names.index(self[name].name)

    def select(self, names: Iterable[str]) -> ParameterTable:
        """Sub-table of `names`, in the order given."""
        return ParameterTable(tuple(self[n] for n in names))

    def with_bounds(self, bounds: Mapping[str, tuple[float, float]]) -> ParameterTable:
        """Table with other bounds (`{name: (lower, upper)}`); a default outside is moved to the nearest bound."""
        for name in bounds:
            self[name]
        new = []
        for p in self.entries:
            if p.name in bounds:
                lower, upper = (float(v) for v in bounds[p.name])
                clipped = float(np.clip(p.default, min(lower, upper), max(lower, upper)))
                p = dataclasses.replace(p, lower=lower, upper=upper, default=clipped)
            new.append(p)
        return ParameterTable(tuple(new))

    def to_unit(self, theta: npt.ArrayLike) -> Array:
        """Physical values to the unit cube; the last axis is the parameter."""
        x = np.asarray(theta, dtype=float)
        lo, hi, log = self.lower, self.upper, self.log
        out = (x - lo) / (hi - lo)
        if log.any():
            ratio = np.where(log, x / np.where(log, lo, 1.0), 1.0)
            span = np.where(log, np.log(np.where(log, hi / np.where(log, lo, 1.0), np.e)), 1.0)
            out = np.where(log, np.log(ratio) / span, out)
        return out

    def from_unit(self, unit: npt.ArrayLike) -> Array:
        """Unit cube to physical values; the last axis is the parameter."""
        u = np.asarray(unit, dtype=float)
        lo, hi, log = self.lower, self.upper, self.log
        out = lo + (hi - lo) * u
        if log.any():
            ratio = np.where(log, hi / np.where(log, lo, 1.0), 1.0)
            out = np.where(log, lo * ratio**u, out)
        return out
