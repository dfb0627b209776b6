"""One day of DALEC-deciduous: its processes in order, for each scheme and source of GPP."""

from __future__ import annotations

import functools
from typing import Literal

from gridcal.errors import ConfigError
from gridcal.models.dalec import acm, carbon, phenology, reflex
from gridcal.models.dalec.edc import CONSTRAINTS
from gridcal.models.dalec.parameters import PARAMETERS, PARAMETERS_GIVEN
from gridcal.process.model import ProcessModel, State, SteadyState

Scheme = Literal["recommended", "reflex"]
Production = Literal["acm", "given"]

SOURCE = "Fox et al. 2009, Agric. For. Meteorol. 149:1597 (REFLEX); ACM: Williams et al. 1997, Ecol. Appl. 7:882"
STATE = (
    State("Cf", "gC m-2", "foliage", 0.0),
    State("Cw", "gC m-2", "wood", 5.0),
    State("Cr", "gC m-2", "fine roots", 5.0),
    State("Clab", "gC m-2", "labile carbon", 100.0),
    State("Clit", "gC m-2", "litter", 5.0),
    State("Csom", "gC m-2", "soil organic matter and woody debris", 9900.0),
    State("gdd", "degC d", "degree days since the year's last reset", 0.0),
    State("max_fol", "1", "1 while the canopy may still grow this year, else 0", 1.0),
)
"""Six pools and the phenology's memory, from a forest's first day (REFLEX)."""
UNDER_WAY = State("afromlab", "gC m-2 d-1", "labile carbon released the day before, not yet foliage", 0.0)

_SITE = {
    "lat": "latitude, degrees north; seasons are shifted by 182 days south of the equator",
    "leaf_nitrogen": "nitrogen of leaves, g m-2 of leaf",
    "growth_stop_doy": "day of the northern year from which the canopy no longer grows",
}
_FLUX = "gC m-2 d-1"
EXTRA = {
    **{s.name: s.units for s in STATE},
    "rh": _FLUX, "ra": _FLUX, "Trate": "1", "multtl": "1", "multtf": "1", "grow": _FLUX, "Af": _FLUX, "Ar": _FLUX,
    "Aw": _FLUX, "Afromlab": _FLUX, "Atolab": _FLUX, "Rlab_f": _FLUX, "Rlab_t": _FLUX, "Lf": _FLUX, "Lw": _FLUX, "Lr": _FLUX,
    "Rh1": _FLUX, "Rh2": _FLUX, "D": _FLUX, "lai_acm": "m2 m-2",
}  # fmt: skip

RECOMMENDED = (
    carbon.dalec_soil_rates,
    carbon.dalec_canopy_rates,
    carbon.dalec_allocation,
    carbon.dalec_transfers,
    carbon.dalec_losses,
    carbon.dalec_respiration,
    carbon.dalec_foliage_gain,
    carbon.dalec_pools,
)
"""The day's carbon once ``G`` and the switches are known."""
REFLEX = (
    reflex.reflex_rates,
    reflex.reflex_allocation,
    carbon.dalec_transfers,
    carbon.dalec_losses,
    carbon.dalec_respiration,
    reflex.reflex_foliage_gain,
    reflex.reflex_pools,
)
ACM = (acm.acm_weather, acm.acm_latitude, acm.acm_day_length)


@functools.lru_cache(maxsize=32)
def dalec_model(scheme: Scheme = "recommended", growth_stop: float | None = None, gpp: Production = "acm") -> ProcessModel:
    """DALEC-deciduous with a choice of scheme, end of growth and source of GPP.

    Parameters
    ----------
    scheme : {"recommended", "reflex"}
        Labile carbon reaches foliage on the day it leaves its store, and rates are capped so that no pool turns negative; or
        the update as REFLEX published it, a day late and without caps.
    growth_stop : float, optional
        Day of the year from which the canopy no longer grows, the same everywhere (REFLEX: 200); p20 starts leaf fall alone.
        Without it p20 does both.
    gpp : {"acm", "given"}
        GPP by the aggregated canopy model, which reads radiation and CO2; or the forcing ``gpp``.

    Returns
    -------
    ProcessModel
        The model; pools, rates and every flux can be asked for. ``lai`` is that of the day's end, like the pools.

    Raises
    ------
    ConfigError
        If a choice is unknown.

    Notes
    -----
    Where p20 does both, the canopy of most years grows until it is full, so that the largest leaf area is p17 / p18: leaf
    area alone cannot tell the two apart.
    """
    if scheme not in ("recommended", "reflex"):
        raise ConfigError(f"unknown scheme {scheme!r}", "Use 'recommended' or 'reflex'")
    if gpp not in ("acm", "given"):
        raise ConfigError(f"unknown source of GPP {gpp!r}", "Use 'acm' or 'given'")
    if growth_stop is not None and not 1.0 <= growth_stop <= 366.0:
        raise ConfigError(f"growth_stop = {growth_stop} is no day of the year", "Give a number from 1 to 366, or None")
    own, stopped = gpp == "acm", growth_stop is not None
    processes = (
        phenology.dalec_weather,
        phenology.dalec_season,
        *(ACM if own else ()),
        acm.acm_leaf_area,
        *((acm.acm_production,) if own else ()),
        carbon.dalec_given,
        phenology.dalec_phenology_stopped if stopped else phenology.dalec_phenology,
        *(RECOMMENDED if scheme == "recommended" else REFLEX),
        carbon.dalec_leaf_area,
    )
    site = {"lat", *(("leaf_nitrogen",) if own else ()), *(("growth_stop_doy",) if stopped else ())}
    defaults = {"leaf_nitrogen": 2.7} if own else {}
    if growth_stop is not None:
        defaults["growth_stop_doy"] = float(growth_stop)
    parts = ("dalec", *(("reflex",) if scheme == "reflex" else ()), *(("stop",) if stopped else ()))
    return ProcessModel(
        name="_".join((*parts, *(() if own else ("given",)))),
        title="DALEC-deciduous: six carbon pools of a deciduous forest"
        + (", as published by REFLEX" if scheme == "reflex" else "")
        + (f", growth ends on day {growth_stop:g}" if growth_stop is not None else "")
        + (", GPP by ACM" if own else ", GPP given"),
        source=SOURCE,
        version=1,
        forcing=("tasmin", "tasmax", "rsds", "co2", "doy") if own else ("tasmin", "tasmax", "gpp", "doy"),
        site={n: d for n, d in _SITE.items() if n in site},
        parameters=PARAMETERS if own else PARAMETERS_GIVEN,
        state=(*STATE, UNDER_WAY) if scheme == "reflex" else STATE,
        outputs={"lai": "m2 m-2", **({"gpp": _FLUX} if own else {}), "reco": _FLUX, "nee": _FLUX},
        extra_outputs=EXTRA,
        processes=processes,
        site_default=defaults,
        constraints=CONSTRAINTS,
        width=64,
        steady=_steady(growth_stop, own) if scheme == "recommended" else None,
    )


def _steady(growth_stop: float | None, own: bool) -> SteadyState:
    """Foliage and labile carbon make GPP; the others follow. The reflex scheme carries litter under way and has none."""
    replay = dalec_model(growth_stop=growth_stop, gpp="given") if own else None
    return SteadyState(fast=("Cf", "Clab"), slow=("Cr", "Cw", "Clit", "Csom"), replay=replay)


dalec = dalec_model()
"""The recommended scheme, p20 ending growth and starting leaf fall, GPP by ACM."""
