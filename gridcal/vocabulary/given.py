"""Data sets where data sets are wanted: what was given in their place is named, and how to give it."""

from __future__ import annotations

import xarray as xr

from gridcal.errors import InputError


def need_dataset(x: object, role: str) -> None:
    """Raise :class:`InputError` unless a data set was given.

    Parameters
    ----------
    x : object
        What was given.
    role : str
        What it is to be, in words: "the simulation".
    """
    if isinstance(x, xr.Dataset):
        return
    if isinstance(x, xr.DataArray):
        name = "its_name" if x.name is None else str(x.name)
        raise InputError(f"{role} is a DataArray, not a Dataset", f"Make it one: x.to_dataset(name={name!r})")
    kind = type(x).__name__
    raise InputError(
        f"{role} is of type {kind}, not a Dataset",
        "Give its data: cube.data, or cube.features" if kind == "Cube" else "Give an xarray.Dataset",
    )
