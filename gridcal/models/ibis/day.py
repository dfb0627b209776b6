"""One day of IBIS: front doors for weather, leaf area, soil carbon, 24 hours, daily sums, and the year's end."""

from __future__ import annotations

import functools
from typing import Literal

from gridcal.errors import ConfigError
from gridcal.kernels.lanes.schedule import Accumulate, Clear, Repeat, steps_of
from gridcal.models.ibis import diagnostics
from gridcal.models.ibis.carbon import phenology, respiration, soil_carbon
from gridcal.models.ibis.carbon.vegetation import climate_memory_day, production_so_far, year_end
from gridcal.models.ibis.hour import CANOPY_OF_DAY, CONSTANTS, HOUR, LIGHT, SETUP, SOURCE, STATE_OF_HOUR, parameters_of
from gridcal.models.ibis.weather import diurnal, tower
from gridcal.process.model import ProcessModel, State

Door = Literal["daily", "radiation", "hourly", "disaggregated"]
Vegetation = Literal["static", "dynamic", "prescribed"]

CALENDAR = ("co2", "doy", "year_length", "day")
_DAILY = ("tasmin", "tasmax", "pr", "sfcWind", "huss", "ps")
_SUN = {"cos_hour": diurnal.COS_HOUR}
_CLOCK = {"hour": diurnal.HOURS}
_COURSE = {"hour": diurnal.HOURS, "gamma": diurnal.GAMMA, "cos_hour": diurnal.COS_HOUR}

SITE = {
    "lat": "latitude, degrees north",
    "lon": "longitude, degrees east: key of the weather draws with the latitude, or place of the sun for hourly records",
    "utc_offset": "hours that the clock of the hourly records is ahead of UTC, the same all year: -5 in eastern North America",
    "sand": "sand, %",
    "clay": "clay, %",
    "weather_seed": "seed of the weather draws",
    "soil_speed": "passes of the soil carbon a day, up to 40; more than 1 in a spin-up only",
    "weather_random": "1 to draw wind and hours of rain, 0 for mean wind and 12 hours of rain around noon",
}
SITE_DEFAULT = {"lon": 0.0, "weather_seed": 0.0, "weather_random": 1.0, "soil_speed": 1.0}

POOLS = ("clitlm", "clitls", "clitll", "clitrm", "clitrs", "clitrl", "clitwm", "clitws", "clitwl")
STATE_OF_DAY = (
    State("a10td", "K", "ten-day mean temperature", 273.16),
    State("agddu", "degC d", "growing degree days", 1000.0),
    State("tempu", "1", "leaf display", 1.0),
    State("decompl", "1", "decomposition factor of litter, mean of the day", 1.0),
    State("decomps", "1", "decomposition factor of soil organic matter, mean of the day", 1.0),
    *(State(n, "kgC m-2", f"litter pool {n[4:]}", 0.0) for n in POOLS),
    State("totcmic", "kgC m-2", "microbial carbon", 0.0),
    State("csoislop", "kgC m-2", "protected soil carbon", 0.0),
    State("csoislon", "kgC m-2", "non-protected soil carbon", 0.0),
    State("csoipas", "kgC m-2", "passive soil carbon", 0.0),
    State("cbiol", "kgC m-2", "leaf carbon", 0.12),
    State("cbiow", "kgC m-2", "wood carbon", 5.0),
    State("cbior", "kgC m-2", "fine root carbon", 0.06),
    State("falll", "kgC m-2 yr-1", "leaf litterfall", 0.0),
    State("fallr", "kgC m-2 yr-1", "root litterfall", 0.0),
    State("fallw", "kgC m-2 yr-1", "wood litterfall", 0.0),
    State("plai", "m2 m-2", "leaf area index in full leaf", 3.0),
    State("sai", "m2 m-2", "stem area index, per area under trees", 0.75),
    State("fu", "1", "tree cover", 0.975),
    State("ztop", "m", "canopy top", 9.96153846),
    State("zbot", "m", "canopy bottom", 3.0),
    State("sapfrac", "1", "sapwood, share of the wood", 0.1),
    State("tc", "degC", "coldest ten-day mean temperature, 30-year memory", 0.0),
    State("npp_year", "gC m-2", "net primary production of the year so far", 0.0),
    State("a10_min", "degC", "lowest ten-day mean temperature of the year so far", 1.0e9),
)

_GC = 3600.0 * 12.0
_MM = 3600.0
_HOURLY = 1.0 / 24.0
SUMS = (
    ("gpp", "gpp", _GC), ("npp", "npp", _GC), ("ra_leaf", "ra_leaf", _GC), ("ra_root", "ra_root", _GC),
    ("ra_wood", "ra_wood", _GC), ("ra_growth", "ra_growth", _GC), ("et", "fvapa", -_MM), ("transp", "gtransu", _MM),
    ("intercep_evap", "ginvap", _MM), ("soil_snow_evap", "gsuvap", _MM), ("runoff_surf", "grunof", _MM),
    ("drainage", "gdrain", _MM), ("gadjust", "gadjust", _MM), ("sw_in", "swdown", _HOURLY), ("rnet", "rnet", _HOURLY),
    ("sens", "fsena", -_HOURLY), ("latent", "latent_hour", _HOURLY), ("stresstu", "stresstu", _HOURLY),
    ("tair", "ta", _HOURLY),
    *((f"tsoi{k}", f"tsoi{k}", _HOURLY) for k in range(1, 7)),
    *((f"wsoi{k}", f"wsoi{k}", _HOURLY) for k in range(1, 7)),
)  # fmt: skip
FACTORS = (("litter_sum", "litter_rate", _HOURLY), ("humus_sum", "humus_rate", _HOURLY))

OUTPUTS = {
    "gpp": "gC m-2 d-1", "npp": "gC m-2 d-1", "ra": "gC m-2 d-1", "rh": "gC m-2 d-1", "reco": "gC m-2 d-1",
    "nee": "gC m-2 d-1", "et": "mm d-1", "lai": "m2 m-2",
}  # fmt: skip
EXTRA = {
    "ra_leaf": "gC m-2 d-1", "ra_root": "gC m-2 d-1", "ra_wood": "gC m-2 d-1", "ra_growth": "gC m-2 d-1",
    "transp": "mm d-1", "intercep_evap": "mm d-1", "soil_snow_evap": "mm d-1", "runoff_surf": "mm d-1",
    "drainage": "mm d-1", "gadjust": "mm d-1", "sw_in": "W m-2", "rnet_mean": "W m-2", "sens": "W m-2",
    "latent": "W m-2", "stresstu": "1",
    **{f"tsoi{k}": "K" for k in range(1, 7)}, **{f"wsoi{k}": "1" for k in range(1, 7)},
    "snowdepth": "m", "snowfrac": "1", "storage_total": "mm", "totlit": "kgC m-2", "totcsoi": "kgC m-2",
    "totcmic": "kgC m-2", "csoislop": "kgC m-2", "csoislon": "kgC m-2", "csoipas": "kgC m-2", "tempu": "1",
    "agddu": "degC d", "a10td": "K", "laiu": "m2 m-2", "decompl": "1", "decomps": "1", "td": "K", "leached": "kgC m-2",
}  # fmt: skip
HOURLY_OUTPUTS = {
    "gpp": "mol m-2 s-1", "npp": "mol m-2 s-1", "ra_hour": "mol m-2 s-1", "rmic": "mol m-2 s-1", "nee_hour": "mol m-2 s-1",
    "et_hour": "kg m-2 s-1", "gtransu": "kg m-2 s-1", "sens_hour": "W m-2", "latent_hour": "W m-2", "rnet": "W m-2",
    "tsoi1": "K", "wsoi1": "1", "wisoi1": "1", "snow_water": "kg m-2", "grunof": "kg m-2 s-1", "gdrain": "kg m-2 s-1",
    "laiu": "m2 m-2",
}  # fmt: skip


def front_door(door: Door) -> tuple[tuple[str, ...], tuple, tuple, dict]:
    """A front door's forcing, processes at the day's start and each hour's start, and the tables of the hours."""
    event = (diurnal.rain_of_day,)
    course = (diurnal.sun_of_hour, diurnal.weather_of_hour, diurnal.light_of_hour)
    if door == "daily":
        return (
            (*_DAILY, "clt"),
            (diurnal.sun_of_day, diurnal.light_from_cloud, diurnal.weather_of_day, *event),
            course,
            _COURSE,
        )
    if door == "radiation":
        total = Repeat(24, (diurnal.sun_summed,), tables=_SUN)
        return (
            (*_DAILY, "rsds"),
            (diurnal.sun_of_day, total, diurnal.light_from_radiation, diurnal.weather_of_day, *event),
            course,
            _COURSE,
        )
    if door == "hourly":
        extremes = Repeat(24, (tower.temperature_extremes,), forcing=True)
        return (
            ("tas", "pr", "sfcWind", "huss", "ps", "rsds", "rlds"),
            (diurnal.sun_of_day, tower.sun_of_clock, tower.temperature_begin, extremes, tower.temperature_of_day),
            (tower.sun_of_record, tower.weather_of_record, tower.light_of_record),
            _CLOCK,
        )
    if door == "disaggregated":
        return (*LIGHT, "td"), (), (), {}
    raise ConfigError(f"unknown front door {door!r}", "Use 'daily', 'radiation', 'hourly' or 'disaggregated'")


@functools.lru_cache(maxsize=32)
def ibis_model(door: Door = "daily", vegetation: Vegetation = "static", record: Literal["day", "hour"] = "day") -> ProcessModel:
    """IBIS with a choice of forcing, vegetation and results.

    Parameters
    ----------
    door : {"daily", "radiation", "hourly", "disaggregated"}
        Daily weather with cloud; with measured shortwave radiation instead of cloud; hourly tower records (24 rows a day, each
        the mean of the hour that begins at its time, on the clock that the site constant ``utc_offset`` names); hourly weather
        as the physics sees it (for comparison with reference runs).
    vegetation : {"static", "dynamic", "prescribed"}
        Structure and biomass kept, leaves by phenology; IBIS's own biomass update each year; leaf area supplied as the
        forcing ``lai`` (per unit ground).
    record : {"day", "hour"}
        Daily results, or hourly ones.

    Returns
    -------
    ProcessModel
        A model of its own compiled code: the first run of each choice compiles for about 45 seconds, later ones and other
        processes read the cache.

    Raises
    ------
    ConfigError
        If a choice is unknown.
    """
    if vegetation not in ("static", "dynamic", "prescribed"):
        raise ConfigError(f"unknown vegetation {vegetation!r}", "Use 'static', 'dynamic' or 'prescribed'")
    if record not in ("day", "hour"):
        raise ConfigError(f"unknown record {record!r}", "Use 'day' or 'hour'")
    weather, begin, each, tables = front_door(door)
    given = vegetation == "prescribed"
    days = {t: f"day_{t}" for t, _, _ in SUMS}
    processes = (
        *begin,
        phenology.leaf_area_given if given else phenology.leaf_display,
        *CANOPY_OF_DAY,
        Clear(("co2mic", "leached")),
        soil_carbon.soil_passes,
        Repeat(40, (soil_carbon.soil_carbon, soil_carbon.soil_pass_done), while_any="soil_left"),
        diagnostics.heterotrophic,
        Clear((*days.values(), "litter_sum", "humus_sum")),
        Repeat(
            24,
            (
                *each,
                *HOUR,
                respiration.decomposition,
                respiration.temperature_memory,
                diagnostics.energy_of_hour,
                Accumulate(tuple((days[t], source, factor) for t, source, factor in SUMS)),
                Accumulate(FACTORS),
                *((diagnostics.exchange_of_hour, diagnostics.snow_of_hour) if record == "hour" else ()),
            ),
            tables=tables,
            forcing=door in ("hourly", "disaggregated"),
            record=record == "hour",
        ),
        diagnostics.factors_of_day,
        diagnostics.carbon_of_day,
        diagnostics.stores_of_day,
        *(
            (
                respiration.celsius,
                climate_memory_day,
                production_so_far,
                year_end,
            )
            if vegetation == "dynamic"
            else ()
        ),
    )
    setup = (*SETUP, *((diurnal.weather_stream,) if door in ("daily", "radiation") else ()))
    read = {n for _, reads, _ in steps_of((*setup, *processes)) for n in reads}
    stored = dict(days) | {"tair": "day_tair", "rnet_mean": "day_rnet"}
    hour = record == "hour"
    unset = {} if given else {"lai": "m2 m-2"}
    name = "_".join(["ibis", *(x for x, usual in ((door, "daily"), (vegetation, "static"), (record, "day")) if x != usual)])
    return ProcessModel(
        name=name,
        title=f"IBIS 2.6 of a deciduous forest: {door} weather, {vegetation} vegetation, results each {record}",
        source=SOURCE,
        version=1 + (door == "hourly") + hour,
        forcing=tuple(n for n in (*weather, "lai", *CALENDAR) if n in read and (n != "lai" or given)),
        site={n: d for n, d in SITE.items() if n in read},
        parameters=parameters_of((*setup, *processes)),
        state=(*STATE_OF_HOUR, *STATE_OF_DAY),
        outputs=HOURLY_OUTPUTS if hour else {k: u for k, u in OUTPUTS.items() if k != "lai"} | unset,
        extra_outputs={} if hour else EXTRA,
        processes=processes,
        setup=setup,
        constants=CONSTANTS,
        stored={} if hour else stored,
        site_default={n: v for n, v in SITE_DEFAULT.items() if n in read and not (n == "lon" and door == "hourly")},
        steps=24 if door in ("hourly", "disaggregated") else 1,
        results=24 if hour else 1,
        width=32,
    )


ibis = ibis_model()
"""IBIS with daily weather, static vegetation and daily results."""
