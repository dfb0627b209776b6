"""One hour of IBIS (``lsxmain``): the order of processes, and the model that takes one row of forcing as one hour."""

from __future__ import annotations

import dataclasses
import itertools

from gridcal.kernels.lanes.schedule import Item, Layers, Repeat, WhereAny, steps_of
from gridcal.models.ibis import thermodynamics
from gridcal.models.ibis.canopy import aerodynamics, energy, interception, longwave, photosynthesis, radiation
from gridcal.models.ibis.carbon import respiration, roots
from gridcal.models.ibis.constants import HSOI
from gridcal.models.ibis.ground import soil, soil_properties
from gridcal.models.ibis.ground.snow import snow, snow_present
from gridcal.models.ibis.parameters import PARAMETERS
from gridcal.process.model import ProcessModel, State
from gridcal.process.parameters import ParameterTable

SOURCE = "Foley et al. 1996, GBC 10:603; Kucharik et al. 2000, GBC 14:795; IBIS 2.6b4"

_FACES = [0.5 * HSOI[0], *(0.5 * (a + b) for a, b in itertools.pairwise(HSOI)), 0.5 * HSOI[-1]]
_SHARE = [0.5 * h / d for h, d in zip(HSOI, _FACES, strict=False)] + [0.0]
CONSTANTS = {
    "hsoi": HSOI,
    "top": (1.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "distance": tuple(_FACES),
    "share": tuple(_SHARE),
    "weight": tuple(_SHARE),
    "neighbour": (0.0, *(0.5 * h / d for h, d in zip(HSOI[:-1], _FACES[1:], strict=False)), 0.0),
}

SETUP = (soil_properties.soil_of_texture, roots.root_profile)
CANOPY_OF_DAY = (interception.canopy_catch,)

SOIL = (
    soil.soil_surface,
    Layers(soil.root_uptake, 1, 6),
    soil.face_top,
    Layers(soil.face_inner, 2, 6),
    soil.face_bottom,
    Layers(soil.water_row, 1, 6),
    soil.eliminate_first,
    Layers(soil.eliminate, 2, 6),
    soil.water_last,
    Layers(soil.water_back, 5, 1),
    Layers(soil.squeeze_up, 6, 1),
    soil.puddle_after,
    soil.advection_ends,
    Layers(soil.advection, 2, 6),
    Layers(soil.conduction, 2, 6),
    Layers(soil.heat_row, 1, 6),
    soil.eliminate_first,
    Layers(soil.eliminate, 2, 6),
    soil.heat_last,
    Layers(soil.heat_back, 5, 1),
    Layers(soil.phase_change, 1, 6),
    soil.puddle_phase,
)

HOUR = (
    Layers(soil_properties.conductivity, 1, 6),
    soil_properties.evaporation_shares,
    interception.wet_fractions,
    radiation.darkness,
    WhereAny(
        "coszen",
        (
            radiation.snow_on_canopy,
            radiation.soil_albedo,
            radiation.visible,
            radiation.near_infrared,
            radiation.absorbed,
        ),
    ),
    longwave.longwave,
    thermodynamics.wet_bulb_start,
    Repeat(20, (thermodynamics.wet_bulb_step,), while_any="seeking"),
    interception.interception,
    interception.wet_fractions,
    soil_properties.ground_capacity,
    aerodynamics.air_of_hour,
    roots.stress_begin,
    Layers(roots.stress_of_layer, 1, 6),
    energy.before_iterations,
    Repeat(
        3,
        (
            aerodynamics.turbulence,
            photosynthesis.photosynthesis,
            energy.weights,
            energy.surface_humidity,
            energy.vapour_conductances,
            energy.solve,
        ),
        tables={"first": (1.0, 0.0, 0.0)},
    ),
    energy.fluxes,
    interception.evaporate_intercepted,
    interception.without_canopy,
    energy.ground_heat,
    snow_present,
    WhereAny("snowing", (snow,)),
    *SOIL,
    respiration.root_temperature,
    respiration.carbon_of_hour,
)

LAYERS = range(1, 7)
STATE_OF_HOUR = (
    State("tu", "K", "leaf temperature", 283.16),
    State("ts", "K", "stem temperature", 283.16),
    State("t12", "K", "air temperature in the canopy", 283.16),
    State("q12", "kg kg-1", "specific humidity in the canopy", 0.0),
    State("t34", "K", "air temperature above the ground", 283.16),
    State("q34", "kg kg-1", "specific humidity above the ground", 0.0),
    State("tg", "K", "temperature of the soil skin", 278.13),
    State("ti", "K", "temperature of the snow skin", 273.13),
    *(State(f"tsoi{k}", "K", f"temperature of soil layer {k}", 278.13) for k in LAYERS),
    *(State(f"wsoi{k}", "1", f"water in soil layer {k}, fraction of the ice-free pore space", 0.5) for k in LAYERS),
    *(State(f"wisoi{k}", "1", f"ice in soil layer {k}, fraction of the pore space", 0.0) for k in LAYERS),
    State("wpud", "kg m-2", "water in puddles", 0.0),
    State("wipud", "kg m-2", "ice in puddles", 0.0),
    State("fi", "1", "snow cover", 0.0),
    *(State(f"tsno{k}", "K", f"temperature of snow layer {k}", 273.16) for k in range(1, 4)),
    *(State(f"hsno{k}", "m", f"thickness of snow layer {k}", 0.0) for k in range(1, 4)),
    State("wliqu", "kg m-2", "water on leaves, per two-sided leaf area", 0.0),
    State("wliqs", "kg m-2", "water on stems, per two-sided stem area", 0.0),
    State("wsnou", "kg m-2", "snow on leaves, per two-sided leaf area", 0.0),
    State("wsnos", "kg m-2", "snow on stems, per two-sided stem area", 0.0),
    State("ciub", "mol mol-1", "CO2 inside the leaf", 350.0e-6),
    State("csub", "mol mol-1", "CO2 at the leaf's surface", 350.0e-6),
    State("gsub", "mol m-2 s-1", "stomatal conductance of the top leaf", 0.5),
    State("a10scalparamu", "W m-2", "ten-day mean of canopy scaling times light", 2.5),
    State("a10daylightu", "W m-2", "ten-day mean of the top leaf's light", 5.0),
    State("a10ancub", "mol m-2 s-1", "ten-day mean of net photosynthesis", 10.0e-6),
)

LIGHT = ("coszen", "solad_vis", "solad_nir", "solai_vis", "solai_nir", "fira", "ta", "qa", "ua", "ps", "raina", "snowa")
FLUXES = {
    "gpp": "mol m-2 s-1", "npp": "mol m-2 s-1", "ra_leaf": "mol m-2 s-1", "ra_wood": "mol m-2 s-1",
    "ra_root": "mol m-2 s-1", "ra_growth": "mol m-2 s-1", "fsena": "W m-2", "fvapa": "kg m-2 s-1",
    "gtransu": "kg m-2 s-1", "ginvap": "kg m-2 s-1", "gsuvap": "kg m-2 s-1", "grunof": "kg m-2 s-1",
    "gdrain": "kg m-2 s-1", "gadjust": "kg m-2 s-1", "swnet": "W m-2", "firb": "W m-2", "topparu": "W m-2",
    "stresstu": "1",
}  # fmt: skip


def parameters_of(items: tuple[Item, ...]) -> ParameterTable:
    """The table of parameters, those that no process of a schedule reads marked inert."""
    read = {n for _, reads, _ in steps_of(items) for n in reads}
    return ParameterTable(tuple(p if p.name in read else dataclasses.replace(p, inert=True) for p in PARAMETERS))


ibis_hour = ProcessModel(
    name="ibis_hour",
    title="IBIS, one hour of fixed vegetation",
    source=SOURCE,
    version=1,
    forcing=(*LIGHT, "laiu", "frac", "co2", "year_length"),
    site={
        "sand": "sand, %",
        "clay": "clay, %",
        "fu": "tree cover",
        "sai": "stem area index, per area under trees",
        "ztop": "canopy top, m",
        "zbot": "canopy bottom, m",
        "sapfrac": "sapwood, share of the wood",
        "cbiow": "wood, kgC m-2",
        "cbior": "fine roots, kgC m-2",
    },
    parameters=parameters_of((*SETUP, *HOUR)),
    state=STATE_OF_HOUR,
    outputs=FLUXES,
    processes=(*CANOPY_OF_DAY, *HOUR),
    setup=SETUP,
    constants=CONSTANTS,
    width=32,
)
"""One row of forcing is one hour: weather as the physics sees it (W m-2, K, kg kg-1, m s-1, Pa, kg m-2 s-1), leaf area per unit
area under trees, CO2 in ppm, days in the year."""
