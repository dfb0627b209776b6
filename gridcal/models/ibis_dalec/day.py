"""One day of IBIS-DALEC: leaf area from the foliage pool, 24 hours of IBIS, the day's carbon by DALEC."""

from __future__ import annotations

import dataclasses
import functools
from typing import Literal

from gridcal.errors import ConfigError
from gridcal.kernels.lanes.schedule import Accumulate, Clear, Repeat, steps_of
from gridcal.models.dalec import carbon, phenology
from gridcal.models.dalec.day import EXTRA as DALEC_EXTRA
from gridcal.models.dalec.day import RECOMMENDED, dalec_model
from gridcal.models.dalec.day import STATE as DALEC_STATE
from gridcal.models.dalec.parameters import PARAMETERS as DALEC
from gridcal.models.ibis import day as ibis_day
from gridcal.models.ibis import diagnostics
from gridcal.models.ibis.carbon import respiration, soil_carbon
from gridcal.models.ibis.hour import CANOPY_OF_DAY, CONSTANTS, HOUR, SETUP, STATE_OF_HOUR
from gridcal.models.ibis.weather import diurnal
from gridcal.models.ibis_dalec import coupling
from gridcal.models.ibis_dalec.parameters import FIXED_DALEC, PARAMETERS
from gridcal.process.model import ProcessModel, SteadyState
from gridcal.process.parameters import ParameterTable

Door = Literal["daily", "radiation", "hourly"]
Part = Literal["dalec", "ibis"]

SOURCE = (
    f"Ma et al. 2022 (coupling, Table 2); {ibis_day.SOURCE}; Fox et al. 2009, Agric. For. Meteorol. 149:1597 (REFLEX DALEC)"
)
STRUCTURE = {"fu": 0.975, "sai": 1.25, "ztop": 23.1, "zbot": 3.0, "sapfrac": 0.0588}
"""Cover, stem area, canopy heights (m) and sapwood share of a closed forest, kept: the paper's fixed vegetation."""
_DIAGNOSTIC = ("beta1", "rgrowth", "rroot", "rwood")
_SITE = {
    "fu": "tree cover",
    "sai": "stem area index, per area under trees",
    "ztop": "canopy top, m",
    "zbot": "canopy bottom, m",
    "sapfrac": "sapwood, share of the wood",
    "growth_stop_doy": "day of the northern year from which the canopy no longer grows",
    **{n: f"{DALEC[n].description}, {DALEC[n].units}" for n in FIXED_DALEC},
}
_TRANSIT = tuple(
    dataclasses.replace(DALEC_STATE[0], name=n, description=f"{what} of the day before, on its way to the soil", initial=0.0)
    for n, what in (("Lf", "leaf litter"), ("Lr", "root litter"), ("Lw", "wood litter"))
)
OUTPUTS = {
    "gpp": "gC m-2 d-1", "lai": "m2 m-2", "reco": "gC m-2 d-1", "nee": "gC m-2 d-1", "ra": "gC m-2 d-1", "rh": "gC m-2 d-1",
    "et": "mm d-1",
}  # fmt: skip
_UNKNOWN = {
    "plants": "unknown source of autotrophic respiration",
    "soil": "unknown soil carbon",
    "stems": "unknown stem area",
}


@functools.lru_cache(maxsize=32)
def ibis_dalec_model(
    door: Door = "daily",
    *,
    plants: Part = "dalec",
    soil: Part = "dalec",
    stems: Literal["fixed", "canopy"] = "fixed",
    growth_stop: float | None = None,
) -> ProcessModel:
    """IBIS-DALEC with the choices that the paper leaves open.

    Parameters
    ----------
    door : {"daily", "radiation", "hourly"}
        Daily weather with cloud; with measured shortwave radiation instead of cloud; hourly tower records on the clock that the
        site constant ``utc_offset`` names.
    plants : {"dalec", "ibis"}
        Autotrophic respiration in ``reco``: DALEC's share of GPP and cost of labile transfers, or IBIS's leaf, wood, root and
        growth respiration. The pools pay DALEC's in both, so that with "ibis" carbon does not close; the model's title, which
        results carry, says so.
    soil : {"dalec", "ibis"}
        Litter and soil organic matter: DALEC's two pools, or IBIS's thirteen fed with DALEC's litter of the day before.
        With "ibis" there is no exact steady state, since microbes are limited.
    stems : {"fixed", "canopy"}
        Stem area index: the site constant ``sai``, or a quarter of the fullest canopy's leaf area, p17 / p18.
    growth_stop : float, optional
        Day of the year from which the canopy no longer grows (REFLEX: 200), p20 starting leaf fall alone. Without it p20 does
        both.

    Returns
    -------
    ProcessModel
        The model. ``lai`` is foliage over p18 at the day's end, unclipped; ``lai_start`` that of the day's start, which IBIS
        saw.

    Raises
    ------
    ConfigError
        If a choice is unknown.

    Notes
    -----
    GPP is the gross photosynthesis of the 24 hours, leaf respiration not subtracted; the pools use the day's mean air
    temperature. Parameters that act on no default output are declared inert: the structure's allocation and turnover in IBIS,
    and with ``plants="dalec"`` its respiration.
    """
    for choice, allowed, what in (
        (door, ("daily", "radiation", "hourly"), "unknown front door"),
        (plants, ("dalec", "ibis"), _UNKNOWN["plants"]),
        (soil, ("dalec", "ibis"), _UNKNOWN["soil"]),
        (stems, ("fixed", "canopy"), _UNKNOWN["stems"]),
    ):
        if choice not in allowed:
            raise ConfigError(f"{what} {choice!r}", f"Use {' or '.join(map(repr, allowed))}")
    if growth_stop is not None and not 1.0 <= growth_stop <= 366.0:
        raise ConfigError(f"growth_stop = {growth_stop} is no day of the year", "Give a number from 1 to 366, or None")
    weather, begin, each, tables = ibis_day.front_door(door)
    stopped, own_soil = growth_stop is not None, soil == "ibis"
    sums = tuple((t, source, factor) for t, source, factor in ibis_day.SUMS)
    days = {t: f"day_{t}" for t, _, _ in sums}
    factors = (respiration.decomposition, Accumulate(ibis_day.FACTORS)) if own_soil else ()
    processes = (
        *begin,
        *((coupling.extremes_of_record,) if door == "hourly" else ()),
        coupling.canopy_of_pools,
        coupling.biomass_of_pools,
        *CANOPY_OF_DAY,
        *(
            (
                coupling.litterfall_of_yesterday,
                Clear(("co2mic", "leached")),
                soil_carbon.soil_passes,
                Repeat(40, (soil_carbon.soil_carbon, soil_carbon.soil_pass_done), while_any="soil_left"),
            )
            if own_soil
            else ()
        ),
        Clear((*days.values(), *(("litter_sum", "humus_sum") if own_soil else ()))),
        Repeat(
            24,
            (
                *each,
                *HOUR,
                *factors[:1],
                diagnostics.energy_of_hour,
                Accumulate(tuple((days[t], source, factor) for t, source, factor in sums)),
                *factors[1:],
            ),
            tables=tables,
            forcing=door == "hourly",
        ),
        *((diagnostics.factors_of_day,) if own_soil else ()),
        diagnostics.stores_of_day,
        coupling.production_of_day,
        phenology.dalec_weather,
        phenology.dalec_season,
        phenology.dalec_phenology_stopped if stopped else phenology.dalec_phenology,
        # with IBIS's soil, DALEC's holds the litter of one day only
        *((Clear(("Clit", "Csom")),) if own_soil else ()),
        *RECOMMENDED,
        *((coupling.soil_of_ibis,) if own_soil else ()),
        *((coupling.plants_of_ibis,) if plants == "ibis" else ()),
        *((coupling.exchange_of_day,) if own_soil or plants == "ibis" else ()),
        carbon.dalec_leaf_area,
    )
    setup = (
        *SETUP,
        *((diurnal.weather_stream,) if door != "hourly" else ()),
        *((coupling.stems_of_canopy,) if stems == "canopy" else ()),
    )
    used = {n for _, reads, writes in steps_of((*setup, *processes)) for n in (*reads, *writes)}
    read = {n for _, reads, _ in steps_of((*setup, *processes)) for n in reads}
    held = {*STRUCTURE, "cbiow", "cbior", "falll", "fallr", "fallw"}
    state = (
        *STATE_OF_HOUR,
        *(s for s in ibis_day.STATE_OF_DAY if s.name in used and s.name not in held),
        *(s for s in DALEC_STATE if not (own_soil and s.name in ("Clit", "Csom"))),
        *(_TRANSIT if own_soil else ()),
    )
    site = {**ibis_day.SITE, **_SITE}
    defaults = {**ibis_day.SITE_DEFAULT, **STRUCTURE, **{n: DALEC[n].default for n in FIXED_DALEC}}
    if growth_stop is not None:
        defaults["growth_stop_doy"] = float(growth_stop)
    sites = {n: d for n, d in site.items() if n in read and not (stems == "canopy" and n == "sai")}
    inert = set(_DIAGNOSTIC) if plants == "dalec" else set()
    table = ParameterTable(tuple(dataclasses.replace(p, inert=p.name in inert or p.name not in read) for p in PARAMETERS))
    extra = {**ibis_day.EXTRA, **DALEC_EXTRA, "lai_start": "m2 m-2", "tair": "K"}
    stored = dict(days) | {"rnet_mean": "day_rnet"}
    choices = (
        (door, "daily"), (f"plants_{plants}", "plants_dalec"), (f"soil_{soil}", "soil_dalec"),
        (f"stems_{stems}", "stems_fixed"), ("stop" if stopped else "", ""),
    )  # fmt: skip
    return ProcessModel(
        name="_".join(["ibis_dalec", *(x for x, usual in choices if x != usual)]),
        title=f"IBIS-DALEC of a deciduous forest: {door} weather, {soil} soil carbon, {plants} plant respiration"
        + (" (a diagnostic: the pools pay another, so that carbon does not close)" if plants == "ibis" else ""),
        source=SOURCE,
        version=2 if door == "hourly" else 1,
        forcing=tuple(n for n in (*weather, *ibis_day.CALENDAR) if n in read),
        site=sites,
        parameters=table,
        state=state,
        outputs=OUTPUTS,
        extra_outputs={n: u for n, u in extra.items() if n not in OUTPUTS and stored.get(n, n) in used},
        processes=processes,
        setup=setup,
        constants=CONSTANTS,
        stored={k: v for k, v in stored.items() if k not in ("ra", "rh")},
        site_default={n: v for n, v in defaults.items() if n in sites and not (n == "lon" and door == "hourly")},
        steps=24 if door == "hourly" else 1,
        width=32,
        steady=None
        if own_soil
        else SteadyState(
            fast=("Cf", "Clab"),
            slow=("Cr", "Cw", "Clit", "Csom"),
            replay=dalec_model(growth_stop=growth_stop, gpp="given"),
            least_years=8,  # soil water and heat settle by a factor of four a year
            settling=tuple(f"{kind}{k}" for kind in ("wsoi", "tsoi") for k in range(1, 7)),
            depth=3,
        ),
    )


ibis_dalec = ibis_dalec_model()
"""IBIS-DALEC with daily weather, DALEC's respiration and soil, and p20 ending growth and starting leaf fall."""
