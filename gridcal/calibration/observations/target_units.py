"""Observations and their errors in the units of the model output they are compared with."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from gridcal.calibration.target import Target
from gridcal.cube import Cube
from gridcal.cube.meeting import in_units_of
from gridcal.errors import ConfigError
from gridcal.process.model import ProcessModel
from gridcal.vocabulary.variables import VARIABLES


def with_units_of(cube: Cube, model: ProcessModel, targets: Sequence[Target]) -> Cube:
    """The cube with every target's observations and errors in the units of the model's output, lazily.

    Raises
    ------
    InputError
        If observations and output measure different things; the message names both units.
    ConfigError
        If one observed variable is compared with outputs in different units.

    Warns
    -----
    UnitsWarning
        If observations have no units.
    """
    found = {}
    of: dict[str, str] = {}
    for target in targets:
        units = model.output_units(target.variable)
        errors = target.sigma if isinstance(target.sigma, str) else None
        for name, spread in ((str(target.against), False), (errors, True)):
            if name is None or name not in cube.data:
                continue
            if of.setdefault(name, units) != units:
                raise ConfigError(
                    f"variable {name!r} is compared with outputs in {of[name]!r} and in {units!r}",
                    "Give each output its own observed variable",
                )
            if name not in found:
                role = f"variable {name!r}"
                found[name] = in_units_of(cube.data[name], target.variable, units, role=role, spread=spread, stacklevel=4)
    return dataclasses.replace(cube, data=cube.data.assign(found))


def known_ranges(model: ProcessModel, targets: Sequence[Target]) -> dict[str, str]:
    """Variable of the vocabulary by observed variable, where the output compared with has the vocabulary's units."""
    found = {}
    for target in targets:
        known = VARIABLES.get(target.variable)
        if known is not None and known.units == model.output_units(target.variable):
            found[str(target.against)] = target.variable
    return found
