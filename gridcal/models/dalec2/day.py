"""One day of DALEC2: its processes in order."""

from __future__ import annotations

import functools
from typing import Literal

from gridcal.errors import ConfigError
from gridcal.models.dalec import acm
from gridcal.models.dalec.carbon import dalec_given
from gridcal.models.dalec.phenology import dalec_weather
from gridcal.models.dalec2 import carbon, pulses
from gridcal.models.dalec2.edc import constraints
from gridcal.models.dalec2.parameters import PARAMETERS, PARAMETERS_GIVEN
from gridcal.process.model import ProcessModel, State

SOURCE = "Bloom and Williams 2015, Biogeosciences 12:1299; CARDAMOM 2.2, model 400 without fire"
STATE = (
    State("Clab", "gC m-2", "labile carbon", "p18"),
    State("Cf", "gC m-2", "foliage", "p19"),
    State("Cr", "gC m-2", "fine roots", "p20"),
    State("Cw", "gC m-2", "wood", "p21"),
    State("Clit", "gC m-2", "litter", "p22"),
    State("Csom", "gC m-2", "soil organic matter and woody debris", "p23"),
)
_FLUX = "gC m-2 d-1"
EXTRA = {
    **{s.name: s.units for s in STATE},
    "ra": _FLUX, "rh": _FLUX, "Te": "1", "PHIon": "1", "PHIoff": "1", "Af": _FLUX, "Alab": _FLUX, "Ar": _FLUX, "Aw": _FLUX,
    "Llab": _FLUX, "Lf": _FLUX, "Lw": _FLUX, "Lr": _FLUX, "Rh1": _FLUX, "D": _FLUX, "Rh2": _FLUX, "lai_start": "m2 m-2",
}  # fmt: skip


@functools.lru_cache(maxsize=8)
def dalec2_model(gpp: Literal["acm", "given"] = "acm", edc: Literal["2016", "2015"] = "2016", eqf: float = 2.0) -> ProcessModel:
    """DALEC2, daily, with a choice of the source of GPP and of the constraints on its dynamics.

    Parameters
    ----------
    gpp : {"acm", "given"}
        GPP by the aggregated canopy model, which reads radiation and CO2; or the forcing ``gpp``.
    edc, eqf
        Form of the ecological and dynamic constraints, and their factor around the steady state; see
        :func:`gridcal.models.dalec2.edc.constraints`. They act in calibrations that ask for them.

    Returns
    -------
    ProcessModel
        The model. The six pools of the first day are parameters (p18 to p23); ``lai`` is that of the day's end.

    Raises
    ------
    ConfigError
        If the choice is unknown.

    Notes
    -----
    Pulses follow the running day of the date, 1 on 1 January 2000, and come back every 365.25 days; the original counts from
    the first day of its run. Pi is 3.1415927, as there.
    """
    if gpp not in ("acm", "given"):
        raise ConfigError(f"unknown source of GPP {gpp!r}", "Use 'acm' or 'given'")
    own = gpp == "acm"
    processes = (
        dalec_weather,
        *((acm.acm_weather, carbon.dalec2_latitude, carbon.dalec2_day_length) if own else ()),
        carbon.dalec2_leaf_area_start,
        *((carbon.dalec2_production,) if own else ()),
        dalec_given,
        pulses.dalec2_release,
        pulses.dalec2_fall,
        pulses.dalec2_pulses,
        carbon.dalec2_allocation,
        carbon.dalec2_losses,
        carbon.dalec2_exchange,
        carbon.dalec2_pools,
        carbon.dalec2_leaf_area,
    )
    return ProcessModel(
        name="dalec2" if own else "dalec2_given",
        title=f"DALEC2: six carbon pools, phenology by date, {'GPP by ACM' if own else 'GPP given'}",
        source=SOURCE,
        version=1,
        forcing=("tasmin", "tasmax", "rsds", "co2", "doy", "day") if own else ("tasmin", "tasmax", "gpp", "day"),
        site={"lat": "latitude, degrees north"} if own else {},
        parameters=PARAMETERS if own else PARAMETERS_GIVEN,
        state=STATE,
        outputs={"lai": "m2 m-2", **({"gpp": _FLUX} if own else {}), "reco": _FLUX, "nee": _FLUX},
        extra_outputs=EXTRA,
        processes=processes,
        constraints=constraints(edc, eqf),
        width=64,
    )


dalec2 = dalec2_model()
"""DALEC2 with GPP by ACM."""
