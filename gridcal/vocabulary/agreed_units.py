"""Units of numbers that are to be taken together: converted by the table, or refused with both units named."""

from __future__ import annotations

import dataclasses
import warnings

from gridcal.errors import InputError
from gridcal.vocabulary.units import conversion, spelled
from gridcal.vocabulary.variables import VARIABLES, Variable


class UnitsWarning(UserWarning):
    """Numbers without units met others that have some, and were taken to be in the same."""


def to_agree(
    units: object, wanted: object, name: str, role: str, *, difference: bool = False, stacklevel: int = 3
) -> tuple[float, float]:
    """Scale and offset that bring numbers in `units` to `wanted`.

    Parameters
    ----------
    units, wanted : str or None
        Units of the numbers, and those they are to have; None where nothing declares them.
    name : str
        Of the variable. Where the vocabulary knows it, it also says which substance a mass or amount refers to.
    role : str
        What the numbers are, in words, for the message: "parameter 'Topt'".
    difference : bool
        Whether they are differences, ranges or deviations, to which no offset is added.
    stacklevel : int
        Of the warning.

    Returns
    -------
    (float, float)
        ``new = scale * old + offset``; (1, 0) where the units are the same, however they are spelled.

    Raises
    ------
    InputError
        If the two measure different things, or they differ and the table does not know one.

    Warns
    -----
    UnitsWarning
        If only one of the two is declared, and it is not that of a plain number.

    Examples
    --------
    >>> to_agree("K", "degC", "Topt", "parameter 'Topt'"), to_agree("gC/MJ", "gC MJ-1", "eps_max", "parameter 'eps_max'")
    ((1.0, -273.15), (1.0, 0.0))
    """
    if units is None or wanted is None:
        known = wanted if units is None else units
        if known is not None and spelled(str(known)) != "1":
            text = (
                f"{role} has no units and is taken to be in {str(known)!r}, as what it meets is"
                if units is None
                else f"{role} is in {str(known)!r}, and what it meets has no units and is taken to be in the same"
            )
            warnings.warn(f"{text} (set attrs['units'])", UnitsWarning, stacklevel=stacklevel)
        return 1.0, 0.0
    old, new = str(units), str(wanted)
    if spelled(old) == spelled(new):
        return 1.0, 0.0
    vocabulary = VARIABLES.get(name)
    to: str | Variable = new if vocabulary is None else dataclasses.replace(vocabulary, units=new)
    try:
        scale, offset = conversion(old, to)
    except InputError as error:
        raise InputError(
            f"{role} is in {old!r}, but what it meets is in {new!r}, and one cannot be made the other",
            f"Convert the values and say so (attrs['units'] = {new!r}), or declare the true units of both",
        ) from error
    return scale, 0.0 if difference else offset
