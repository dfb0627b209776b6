"""Units: a reviewed table of what data sets write, never a guess.

Unit libraries read ``gC`` as coulomb and ``degrees C`` as degree-coulomb, so a string is first looked up in a table whose
entries were reviewed one by one; what is not there is an error that prints the nearest entries. Conversion then is a scale
and an offset between canonical strings.
"""

from __future__ import annotations

import difflib

from gridcal.errors import InputError

_CARBON = 12.011
_LATENT_SECONDS = 86400.0

# canonical string -> (dimension, scale to the dimension's reference, offset to it)
_CANONICAL: dict[str, tuple[str, float, float]] = {
    "1": ("number", 1.0, 0.0),
    "%": ("number", 0.01, 0.0),
    "ppm": ("mole fraction", 1.0, 0.0),
    "degC": ("temperature", 1.0, 0.0),
    "K": ("temperature", 1.0, -273.15),
    "Pa": ("pressure", 1.0, 0.0),
    "hPa": ("pressure", 100.0, 0.0),
    "kPa": ("pressure", 1000.0, 0.0),
    "m": ("length", 1.0, 0.0),
    "km": ("length", 1000.0, 0.0),
    "mm": ("water amount", 1.0, 0.0),
    "kg m-2": ("water amount", 1.0, 0.0),
    "mm d-1": ("water flux", 1.0, 0.0),
    "mm s-1": ("water flux", _LATENT_SECONDS, 0.0),
    "kg m-2 s-1": ("water flux", _LATENT_SECONDS, 0.0),
    "mm h-1": ("water flux", 24.0, 0.0),
    "mm yr-1": ("water flux", 1.0 / 365.25, 0.0),
    "mm month-1": ("monthly water", 1.0, 0.0),
    "mm m-1": ("water content", 1.0, 0.0),
    "km2": ("area", 1.0, 0.0),
    "day of year": ("day of year", 1.0, 0.0),
    "molCO2 m-2 yr-1": ("carbon flux", _CARBON / 365.25, 0.0),
    "m s-1": ("speed", 1.0, 0.0),
    "kg kg-1": ("mass ratio", 1.0, 0.0),
    "g kg-1": ("mass ratio", 1e-3, 0.0),
    "W m-2": ("energy flux", 1.0, 0.0),
    "MJ m-2 d-1": ("energy flux", 1e6 / 86400.0, 0.0),
    "mol m-2 d-1": ("photon flux", 1.0, 0.0),
    "umol photon m-2 s-1": ("photon flux", 0.0864, 0.0),
    "gC m-2 d-1": ("carbon flux", 1.0, 0.0),
    "umol m-2 s-1": ("carbon flux", _CARBON * 0.0864, 0.0),
    "gC m-2 yr-1": ("carbon flux", 1.0 / 365.25, 0.0),
    "kgC m-2 s-1": ("carbon flux", 8.64e7, 0.0),
    "gC m-2": ("carbon amount", 1.0, 0.0),
    "m2 m-2": ("area ratio", 1.0, 0.0),
    "degrees_north": ("latitude", 1.0, 0.0),
    "degrees_east": ("longitude", 1.0, 0.0),
    "days": ("time", 1.0, 0.0),
}

# what data sets write -> canonical string
_ALIASES: dict[str, str] = {
    "": "", "-": "1", "unitless": "1", "dimensionless": "1", "fraction": "1", "none": "1", "m3 m-3": "1", "cm cm-1": "1",
    "mm mm-1": "1", "percent": "%", "pct": "%", "ppmv": "ppm", "umol mol-1": "ppm", "µmol mol-1": "ppm", "micromol mol-1": "ppm",
    "degrees c": "degC", "degrees celsius": "degC", "celsius": "degC", "deg c": "degC", "deg_c": "degC", "c": "degC",
    "degree_celsius": "degC", "degrees_celsius": "degC", "degree c": "degC", "°c": "degC", "kelvin": "K", "degk": "K",
    "mbar": "hPa", "millibar": "hPa", "mb": "hPa", "pascal": "Pa", "kg/m2": "kg m-2", "kg/m^2": "kg m-2", "metres": "m",
    "meters": "m", "meter": "m", "millimeter": "mm", "mm h2o": "mm", "mm/day": "mm d-1", "mm day-1": "mm d-1", "mm/d": "mm d-1",
    "kg m-2 d-1": "mm d-1", "kg m-2 day-1": "mm d-1", "mm/s": "mm s-1", "mm/hr": "mm h-1", "mm yr^-1": "mm yr-1",
    "mol co2 m^-2 yr^-1": "molCO2 m-2 yr-1", "m^2 m^-2": "m2 m-2", "1e-6": "ppm", "kg/m2/s": "kg m-2 s-1", "kg/m^2/s": "kg m-2 s-1",
    "mm/month": "mm month-1", "mm per calendar month": "mm month-1", "m/s": "m s-1", "kg/kg": "kg kg-1", "g/kg": "g kg-1",
    "w/m2": "W m-2", "w/m^2": "W m-2", "watt m-2": "W m-2", "mj/m2/day": "MJ m-2 d-1", "mj m-2 day-1": "MJ m-2 d-1",
    "mj/m2/d": "MJ m-2 d-1", "mol m-2 day-1": "mol m-2 d-1", "umol photons m-2 s-1": "umol photon m-2 s-1",
    "g c m-2 d-1": "gC m-2 d-1", "gc m-2 day-1": "gC m-2 d-1", "g c m-2 day-1": "gC m-2 d-1", "gc/m2/d": "gC m-2 d-1",
    "gc/m2/day": "gC m-2 d-1", "gc m-2 d-1": "gC m-2 d-1", "g m-2 d-1": "gC m-2 d-1", "umolco2 m-2 s-1": "umol m-2 s-1",
    "umol co2 m-2 s-1": "umol m-2 s-1", "µmol m-2 s-1": "umol m-2 s-1", "µmolco2 m-2 s-1": "umol m-2 s-1",
    "micromol m-2 s-1": "umol m-2 s-1", "gc m-2 y-1": "gC m-2 yr-1", "gc m-2 year-1": "gC m-2 yr-1", "kg c m-2 s-1": "kgC m-2 s-1",
    "kg m-2 s-1 c": "kgC m-2 s-1", "g c m-2": "gC m-2", "m2/m2": "m2 m-2", "m^2/m^2": "m2 m-2", "degree_north": "degrees_north",
    "degrees north": "degrees_north", "degree_east": "degrees_east", "degrees east": "degrees_east", "day": "days",
}  # fmt: skip
_CANONICAL_LOWER = {c.lower(): c for c in _CANONICAL}


def normalise(units: str) -> str:
    """Canonical form of a units string.

    Raises
    ------
    InputError
        If the table does not hold it; the message prints the nearest entries.

    Examples
    --------
    >>> normalise("degrees C"), normalise("g C m-2 d-1"), normalise("W/m2")
    ('degC', 'gC m-2 d-1', 'W m-2')
    """
    text = " ".join(str(units).strip().split())
    if text in _CANONICAL:
        return text
    lower = text.lower()
    if lower in _ALIASES and _ALIASES[lower]:
        return _ALIASES[lower]
    if lower in _CANONICAL_LOWER and lower not in ("pa", "k", "m"):
        return _CANONICAL_LOWER[lower]
    near = difflib.get_close_matches(lower, [*_ALIASES, *_CANONICAL_LOWER], n=3, cutoff=0.5)
    known = [_ALIASES.get(n) or _CANONICAL_LOWER.get(n, n) for n in near if n]
    hint = f"Nearest known units: {', '.join(dict.fromkeys(known))}" if known else f"Known units: {', '.join(_CANONICAL)}"
    raise InputError(f"unknown units {units!r}", f"{hint}. Declare the units in the catalog entry")


def conversion(units: str, to: str) -> tuple[float, float]:
    """Scale and offset that take values in `units` to `to`: ``new = scale * old + offset``.

    Raises
    ------
    InputError
        If a string is unknown or the two measure different things.

    Examples
    --------
    >>> conversion("K", "degC")
    (1.0, -273.15)
    """
    old, new = normalise(units), normalise(to)
    kind_old, scale_old, offset_old = _CANONICAL[old]
    kind_new, scale_new, offset_new = _CANONICAL[new]
    if kind_old != kind_new:
        raise InputError(
            f"units {units!r} measure a {kind_old}, but {to!r} a {kind_new}",
            "Check which variable this is, or declare the true units in the catalog entry",
        )
    return scale_old / scale_new, (offset_old - offset_new) / scale_new
