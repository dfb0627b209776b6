"""Units: a reviewed table of what data sets write, never a guess.

General unit libraries read ``gC`` as coulomb and ``degrees C`` as degree-coulomb without a message. Here the spelling
of a string is brought to one form (``gC/m2/day`` to ``gC m-2 d-1``), which then must be in a closed list; anything else
is an error that prints the nearest entries. A conversion is a scale and an offset between two entries of that list.
Mass, amount and depth of a flux are converted into each other only where the substance is known: 12.011 g of carbon a
mole of CO2 for carbon fluxes, 1 mm a kg m-2 for water.
"""

from __future__ import annotations

import dataclasses
import difflib
import re

from gridcal.errors import InputError
from gridcal.vocabulary.variables import Variable

CARBON_MOLAR_MASS = 12.011
"""g mol-1; mass of carbon in a mole of CO2."""
_CO2_MOLAR_MASS = 44.009
_DAY = 86400.0
_YEAR = 365.25
_WATER_DENSITY = 1000.0


@dataclasses.dataclass(frozen=True)
class _Unit:
    """``value in reference units of the dimension = scale * value + offset``."""

    dimension: str
    scale: float
    offset: float = 0.0
    species: str = ""


# References: number 1; temperature degC; pressure Pa; length m; speed m s-1; mass per area g m-2; mass flux g m-2 d-1;
# amount flux mol m-2 d-1; energy flux W m-2; energy per area J m-2; time s; area m2; density kg m-3; amount
# per mass mol kg-1
_TABLE: dict[str, _Unit] = {
    "1": _Unit("number", 1.0),
    "%": _Unit("number", 0.01),
    "ppm": _Unit("number", 1e-6),
    "ppb": _Unit("number", 1e-9),
    "umol mol-1": _Unit("number", 1e-6),
    "umolCO2 mol-1": _Unit("number", 1e-6),
    "mmol mol-1": _Unit("number", 1e-3),
    "mol mol-1": _Unit("number", 1.0),
    "kg kg-1": _Unit("number", 1.0),
    "g kg-1": _Unit("number", 1e-3),
    "m2 m-2": _Unit("number", 1.0),
    "m3 m-3": _Unit("number", 1.0),
    "mm m-1": _Unit("number", 1e-3),
    "degC": _Unit("temperature", 1.0),
    "K": _Unit("temperature", 1.0, -273.15),
    "Pa": _Unit("pressure", 1.0),
    "hPa": _Unit("pressure", 100.0),
    "kPa": _Unit("pressure", 1000.0),
    "m": _Unit("length", 1.0),
    "cm": _Unit("length", 1e-2),
    "mm": _Unit("length", 1e-3),
    "km": _Unit("length", 1e3),
    "m2": _Unit("area", 1.0),
    "km2": _Unit("area", 1e6),
    "m s-1": _Unit("speed", 1.0),
    "mm s-1": _Unit("speed", 1e-3),
    "mm h-1": _Unit("speed", 1e-3 / 3600.0),
    "mm d-1": _Unit("speed", 1e-3 / _DAY),
    "m d-1": _Unit("speed", 1.0 / _DAY),
    "mm yr-1": _Unit("speed", 1e-3 / (_YEAR * _DAY)),
    "mm month-1": _Unit("depth in a calendar month", 1.0),
    "kg m-2": _Unit("mass per area", 1000.0),
    "g m-2": _Unit("mass per area", 1.0),
    "kgC m-2": _Unit("mass per area", 1000.0, species="carbon"),
    "gC m-2": _Unit("mass per area", 1.0, species="carbon"),
    "kg m-2 s-1": _Unit("mass flux", 1000.0 * _DAY),
    "kg m-2 d-1": _Unit("mass flux", 1000.0),
    "g m-2 d-1": _Unit("mass flux", 1.0),
    "kgC m-2 s-1": _Unit("mass flux", 1000.0 * _DAY, species="carbon"),
    "kgC m-2 d-1": _Unit("mass flux", 1000.0, species="carbon"),
    "kgC m-2 yr-1": _Unit("mass flux", 1000.0 / _YEAR, species="carbon"),
    "gC m-2 s-1": _Unit("mass flux", _DAY, species="carbon"),
    "gC m-2 d-1": _Unit("mass flux", 1.0, species="carbon"),
    "gC m-2 yr-1": _Unit("mass flux", 1.0 / _YEAR, species="carbon"),
    "gCO2 m-2 d-1": _Unit("mass flux", CARBON_MOLAR_MASS / _CO2_MOLAR_MASS, species="carbon"),
    "gN m-2 yr-1": _Unit("mass flux", 1.0 / _YEAR, species="nitrogen"),
    "mol m-2 s-1": _Unit("amount flux", _DAY),
    "mol m-2 d-1": _Unit("amount flux", 1.0),
    "umol m-2 s-1": _Unit("amount flux", 1e-6 * _DAY),
    "molCO2 m-2 s-1": _Unit("amount flux", _DAY, species="carbon"),
    "molCO2 m-2 yr-1": _Unit("amount flux", 1.0 / _YEAR, species="carbon"),
    "umolCO2 m-2 s-1": _Unit("amount flux", 1e-6 * _DAY, species="carbon"),
    "umolphoton m-2 s-1": _Unit("amount flux", 1e-6 * _DAY, species="photon"),
    "molphoton m-2 d-1": _Unit("amount flux", 1.0, species="photon"),
    "W m-2": _Unit("energy flux", 1.0),
    "MJ m-2 d-1": _Unit("energy flux", 1e6 / _DAY),
    "kJ m-2 d-1": _Unit("energy flux", 1e3 / _DAY),
    "J m-2 d-1": _Unit("energy flux", 1.0 / _DAY),
    "J m-2": _Unit("energy per area", 1.0),
    "MJ m-2": _Unit("energy per area", 1e6),
    "s": _Unit("time", 1.0),
    "h": _Unit("time", 3600.0),
    "d": _Unit("time", _DAY),
    "yr": _Unit("time", _YEAR * _DAY),
    "day of year": _Unit("day of year", 1.0),
    "kg m-3": _Unit("density", 1.0),
    "kg dm-3": _Unit("density", 1000.0),
    "g cm-3": _Unit("density", 1000.0),
    "cmol kg-1": _Unit("amount per mass", 0.01),
    "degrees_north": _Unit("latitude", 1.0),
    "degrees_east": _Unit("longitude", 1.0),
}

# whole strings, whatever their case
_WORDS: dict[str, str] = {
    "": "1", "-": "1", "unitless": "1", "dimensionless": "1", "none": "1", "fraction": "1", "ratio": "1", "index": "1",
    "percent": "%", "pct": "%", "1e-6": "ppm", "1.e-6": "ppm", "1e-06": "ppm", "ppmv": "ppm",
    "parts per million": "ppm",
    "degrees c": "degC", "degree c": "degC", "deg c": "degC", "deg_c": "degC", "degc": "degC", "celsius": "degC",
    "degrees celsius": "degC", "degree celsius": "degC", "degree_celsius": "degC", "degrees_celsius": "degC",
    "kelvin": "K",
    "degk": "K", "deg_k": "K", "degrees k": "K", "degrees kelvin": "K", "pascal": "Pa", "pascals": "Pa",
    "hectopascal": "hPa", "kilopascal": "kPa", "mbar": "hPa", "millibar": "hPa", "mb": "hPa",
    "day of year": "day of year",
    "doy": "day of year", "degree_north": "degrees_north", "degrees_n": "degrees_north",
    "degrees north": "degrees_north",
    "degree_east": "degrees_east", "degrees_e": "degrees_east", "degrees east": "degrees_east", "mm per day": "mm d-1",
    "mm per calendar month": "mm month-1",
}  # fmt: skip

# one word of a string; upper and lower case matter (mm is not Mm, MJ is not mJ)
_TOKENS: dict[str, str] = {
    "day": "d", "days": "d", "hr": "h", "hour": "h", "hours": "h", "sec": "s", "second": "s", "seconds": "s", "y": "yr",
    "year": "yr", "years": "yr", "mon": "month", "months": "month", "watt": "W", "Watt": "W", "watts": "W",
    "metre": "m", "metres": "m", "meter": "m", "meters": "m", "millimeter": "mm", "millimetre": "mm",
    "micromol": "umol",
    "micromoles": "umol", "moles": "mol", "mole": "mol", "gramsC": "gC", "umolC": "umolCO2", "molC": "molCO2",
    "photons": "photon", "joule": "J", "umolPhoton": "umolphoton", "molPhoton": "molphoton", "umolPhotons": "umolphoton",
    "molPhotons": "molphoton",
}  # fmt: skip
_SPECIES_WORDS = {"C": "C", "CO2": "CO2", "N": "N", "photon": "photon", "photons": "photon", "H2O": "", "water": ""}
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_TOKEN = re.compile(r"(/?)([A-Za-z%_]+)(?:\^|\*\*)?([-+]?\d+)?")


def _spelling(text: str) -> str | None:
    """Spell the string in the form of the table's keys (``kg m-2 s-1``), or None if it is no product of powers."""
    text = (
        re.sub(r"\bCO2\b", "COtwo", re.sub(r"\bH2O\b", "HtwoO", text)).replace("molCO2", "molCOtwo").replace("gCO2", "gCOtwo")
    )
    text = re.sub(r"\s*/\s*", " /", text.replace("·", " "))
    text = re.sub(r"(?<=[A-Za-z0-9])[.*](?=[A-Za-z])", " ", text)
    words: list[tuple[str, int]] = []
    for piece in text.split():
        match = _TOKEN.fullmatch(piece)
        if match is None:
            return None
        slash, name, power = match.groups()
        name = name.replace("COtwo", "CO2").replace("HtwoO", "H2O")
        exponent = int(power) if power else 1
        if words and name in _SPECIES_WORDS and not slash and exponent == 1:
            last, last_power = words[-1]
            if last not in ("g", "kg", "mol", "umol", "mm") or last_power != 1:
                return None
            words[-1] = (last + _SPECIES_WORDS[name], 1)
            continue
        words.append((_TOKENS.get(name, name), -exponent if slash else exponent))
    return " ".join(name if power == 1 else f"{name}{power}" for name, power in words)


def normalise(units: str) -> str:
    """Canonical form of a units string.

    Parameters
    ----------
    units : str
        As a file or catalog entry writes it.

    Returns
    -------
    str
        A key of the reviewed table.

    Raises
    ------
    InputError
        If the table does not hold it; the message prints the nearest entries.

    Examples
    --------
    >>> normalise("degrees C"), normalise("g C m-2 d-1"), normalise("W/m2"), normalise("umol CO2 m^-2 s^-1")
    ('degC', 'gC m-2 d-1', 'W m-2', 'umolCO2 m-2 s-1')
    """
    text = " ".join(str(units).replace("µ", "u").replace("μ", "u").replace("°", "deg").translate(_RAISED).split())
    if text == "C":
        return "degC"
    found = text if text in _TABLE else _WORDS.get(text.lower()) or _spelling(text)
    if found in _TABLE:
        return found
    if re.search(r"8\s*-?\s*da?y?s?\b|8d", text):
        raise InputError(
            f"units {units!r} are a sum over 8 days",
            "Divide by the days of each period (the last of a year has 5 or 6)",
        )
    near = difflib.get_close_matches(found or text, _TABLE, n=3, cutoff=0.5)
    hint = f"Nearest known units: {', '.join(near)}" if near else "Units look like 'W m-2', 'mm d-1', 'gC m-2 d-1', 'degC'"
    raise InputError(f"unknown units {units!r}", f"{hint}. Declare the true units in the catalog entry or in attrs['units']")


def spelled(units: str) -> str:
    """One spelling of a units string, of the table or not; two strings of one spelling are the same units.

    Examples
    --------
    >>> spelled("g C/MJ"), spelled("degrees C"), spelled("m2 d MJ-1") == spelled("MJ-1 m2 d")
    ('MJ-1 gC', 'degC', True)
    """
    try:
        return normalise(units)
    except InputError:
        text = " ".join(str(units).split())
        found = _spelling(text)
        return text if found is None else " ".join(sorted(found.split()))


def conversion(units: str, to: str | Variable) -> tuple[float, float]:
    """Scale and offset that take values in `units` to `to`: ``new = scale * old + offset``.

    Parameters
    ----------
    units : str
        Units of the values.
    to : str or Variable
        Units wanted, or an entry of the vocabulary, which also says which substance a mass or amount refers to.

    Returns
    -------
    (float, float)
        Scale and offset.

    Raises
    ------
    InputError
        If a string is unknown, the two measure different things, or speak of different substances.

    Examples
    --------
    >>> conversion("K", "degC")
    (1.0, -273.15)
    >>> from gridcal.vocabulary.variables import variable
    >>> round(conversion("umol m-2 s-1", variable("gpp"))[0], 4)
    1.0378
    """
    target = to.units if isinstance(to, Variable) else to
    old, new = _TABLE[normalise(units)], _TABLE[normalise(target)]
    species = (to.species if isinstance(to, Variable) else "") or new.species
    what = f"{to.name!r}" if isinstance(to, Variable) else f"{to!r}"
    if old.species and (isinstance(to, Variable) or new.species) and old.species != species:
        raise InputError(
            f"units {units!r} are of {old.species}, but {what} is {'of ' + species if species else 'not'}",
            "Check which variable this is, or declare the true units in the catalog entry",
        )
    bridge = _bridge(old.dimension, new.dimension, species)
    if bridge is None:
        raise InputError(
            f"units {units!r} measure {_article(old.dimension)}, but {what} needs {_article(new.dimension)} ({target})",
            _repair(old.dimension, new.dimension),
        )
    return old.scale * bridge / new.scale, (old.offset * bridge - new.offset) / new.scale


def alternatives(variable: Variable, lowest: float, highest: float) -> list[str]:
    """Units in which numbers would lie within a variable's valid range, other than its own; the nearest spelling first.

    Parameters
    ----------
    variable : Variable
        Of the vocabulary, with a valid range.
    lowest, highest : float
        The numbers' extremes, taken for the variable's own units by mistake.

    Examples
    --------
    >>> from gridcal.vocabulary.variables import variable
    >>> alternatives(variable("tas"), 250.0, 300.0), alternatives(variable("fapar"), 3.0, 95.0)
    (['K'], ['%'])
    """
    if variable.valid_range is None:
        return []
    low, high = variable.valid_range
    found = []
    for units, entry in _TABLE.items():
        own = _TABLE[variable.units]
        if entry.dimension != own.dimension or (entry.scale, entry.offset) == (own.scale, own.offset):
            continue
        if entry.dimension == "number" and " " in units and " " not in variable.units:  # a share of mass or area
            continue
        try:
            scale, offset = conversion(units, variable)
        except InputError:  # of another substance
            continue
        a, b = scale * lowest + offset, scale * highest + offset
        # not a unit that would leave next to nothing of the range
        if low <= a and b <= high and max(abs(a), abs(b)) > 0.02 * max(abs(low), abs(high)):
            found.append(units)
    return found[:2]


def is_flux(units: str) -> bool:
    """Whether canonical units are those of a flux of mass, amount or depth, whose numbers differ by powers of ten."""
    return units in _TABLE and _TABLE[units].dimension in ("mass flux", "amount flux", "speed")


def _bridge(old: str, new: str, species: str) -> float | None:
    """Factor between the references of two dimensions of one substance; None if there is none."""
    if old == new:
        return 1.0
    factors: dict[tuple[str, str], float] = {}
    if species == "carbon":
        factors = {("amount flux", "mass flux"): CARBON_MOLAR_MASS}
    elif species == "water":
        factors = {
            ("mass flux", "speed"): 1e-3 / _WATER_DENSITY / _DAY,
            ("mass per area", "length"): 1e-3 / _WATER_DENSITY,
        }
    if (old, new) in factors:
        return factors[(old, new)]
    return 1.0 / factors[(new, old)] if (new, old) in factors else None


def _article(dimension: str) -> str:
    return f"{'an' if dimension[0] in 'aeiou' else 'a'} {dimension}"


def _repair(old: str, new: str) -> str:
    if "calendar month" in old:
        return "Months differ in length: divide each value by the days of its month, and declare 'mm d-1'"
    sums = {"length": "speed", "mass per area": "mass flux", "energy per area": "energy flux"}
    if sums.get(old) == new or (old, new) == ("mass per area", "speed"):
        return "A sum over a period is not a rate: divide by the length of its period, and declare the rate's units"
    return "Check which variable this is, or declare the true units in the catalog entry"
