"""Process models: the ones gridcal ships, and those that installed packages offer as entry points."""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points

from gridcal.errors import ModelError

_SHIPPED = {
    "dalec": "gridcal.models.dalec:dalec",
    "dalec2": "gridcal.models.dalec2:dalec2",
    "ibis": "gridcal.models.ibis:ibis",
    "ibis_dalec": "gridcal.models.ibis_dalec:ibis_dalec",
    "lue": "gridcal.models.lue:lue",
}
_GROUP = "gridcal.models"


def model_names():
    """Names of all models that can be had here."""
    return sorted({*_SHIPPED, *(e.name for e in entry_points(group=_GROUP))})


def model_named(name):
    """The process model of that name.

    Parameters
    ----------
    name : str
        A shipped model, or one an installed package offers in the entry point group ``gridcal.models``.

    Returns
    -------
    ProcessModel
        The model.

    Raises
    ------
    ModelError
        If there is none of that name.
    """
    if name in _SHIPPED:
        module, attribute = _SHIPPED[name].split(":")
        return getattr(importlib.import_module(module), attribute)
    for entry in entry_points(group=_GROUP):
        if entry.name == name:
            return entry.load()
    raise ModelError(f"unknown model {name!r}", f"Known models: {', '.join(model_names())}")
