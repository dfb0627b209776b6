"""Parts of IBIS run alone, as tables: what a comparison with the original's routines calls.

Each function takes the columns of a table as arrays and returns the columns it computes, under the table's names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gridcal.kernels.lanes.schedule import Layers, Repeat
from gridcal.models.ibis import thermodynamics
from gridcal.models.ibis.canopy import photosynthesis, radiation
from gridcal.models.ibis.carbon import soil_carbon, vegetation
from gridcal.models.ibis.day import POOLS
from gridcal.models.ibis.ground import soil_properties
from gridcal.models.ibis.hour import CONSTANTS, SETUP, SOIL, SOURCE, parameters_of
from gridcal.models.ibis.parameters import PARAMETERS
from gridcal.models.ibis.weather import diurnal
from gridcal.process.model import ProcessModel, State

Columns = Mapping[str, Any]


def _rows(function: Callable[..., Any], *columns: Any) -> list[np.ndarray]:
    """Columns of the results of a scalar function over rows."""
    table = np.array([function(*row) for row in zip(*(np.asarray(c, dtype=float) for c in columns), strict=True)])
    return list(table.reshape(len(columns[0]), -1).T)


def thermo(c: Columns) -> dict[str, np.ndarray]:
    """Saturation, latent heats and the wet bulb at a relative humidity of 60 %."""

    def row(t, p):
        e = thermodynamics.esat(t)
        q, dq = thermodynamics.saturation(t, p)
        twet, seeking = thermodynamics.wet_bulb_start(t, 0.6 * q, p, 1.0)
        if t <= 273.16:
            twet, seeking = 273.16 + (t - 273.16) * 0.6, 1.0
        for _ in range(20):
            if seeking <= 0.0:
                break
            twet, seeking = thermodynamics.wet_bulb_step(twet, seeking, t, 0.6 * q, p)
        return e, thermodynamics.desat(t), q, dq, thermodynamics.hvapf(t, t), thermodynamics.hsubf(t, t), twet

    names = ("esat_Pa", "desat", "qsat", "dqsat", "hvapf", "hsubf", "twetbulb_rh60")
    return dict(zip(names, _rows(row, c["T_K"], c["psurf"]), strict=True))


def leaf(c: Columns) -> dict[str, np.ndarray]:
    """A leaf after one call and after 600 calls of the damped iteration, from ci = 0.7 ca, cs = ca, gs = 0.5."""

    def row(t, par, rh, ca, stress, su, alpha3, theta3, beta3, gamma, m, b, vmax, tempvm):
        ci, cs, gs = 0.7 * ca, ca, 0.5
        first: tuple[float, ...] = ()
        for k in range(600):
            ag, an, ci, cs, gs, gb, floor = photosynthesis.leaf(
                t, par, rh, ca, stress, su, ci, cs, gs, alpha3, theta3, beta3, gamma, m, b, vmax, tempvm
            )
            if k == 0:
                first = (ag, an, ci, cs, gs)
        # the table's canopy is one thin leaf: canopy values are the leaf's
        surface = max(floor, ca - an / gb)
        stomata = max(m * an * rh / surface + b * stress, 1.0e-5, b * stress)
        return (*first, ag, an, ci, cs, gs, 1.0 / (1.0 / su + (1.0 / 0.029) / stomata))

    t12 = np.asarray(c["t12_K"], dtype=float)
    rh = np.array(
        [
            max(0.30, q / thermodynamics.qsat(thermodynamics.esat(t), p))
            for q, t, p in zip(c["q12"], t12, c["psurf"], strict=True)
        ]
    )
    order = (
        "tleaf_K", "apar_Wm2", None, "co2_molmol", "stress", "su", "alpha3", "theta3", "beta3", "gamma", "coefm", "coefb",
        "vmax15", "tempvm",
    )  # fmt: skip
    names = [f"{x}_1call" for x in ("ag", "an", "ci", "cs", "gs")] + [f"{x}_conv" for x in ("ag", "an", "ci", "cs", "gs")]
    found = _rows(row, *(rh if n is None else c[n] for n in order))
    return dict(zip([*names, "totcond_conv"], found, strict=True))


def two_stream(c: Columns) -> dict[str, np.ndarray]:
    """Unit direct and diffuse light on a canopy of random leaves without snow."""

    def row(cosz, lai, sai, albedo, rho, tau):
        return radiation.two_stream(cosz, lai, sai, albedo, albedo, rho, tau, 0.9, 0.0)

    names = (
        "abs_dir", "abs_dif", "refl_dir", "refl_dif", "trans_dd", "trans_did", "trans_ii", "term1", "term2", "term3", "term4",
        "term5", "k", "h",
    )  # fmt: skip
    columns = (c[n] for n in ("coszen", "lai", "sai", "albsoil", "omega_rho", "omega_tau"))
    return dict(zip(names, _rows(row, *columns), strict=True))


def disaggregated(c: Columns) -> dict[str, np.ndarray]:
    """Hourly radiation, temperature and humidity of a day given by its extremes, humidity, pressure and cloud."""

    def row(lat, jday, hour, cloud, tmin, tmax, qd, ps):
        sun_sin, sun_cos, solar, _ = diurnal.sun_of_day(jday, lat)
        h = int(hour)
        coszen = diurnal.sun_of_hour(sun_sin, sun_cos, diurnal.COS_HOUR[h])
        cloud, tau = diurnal.light_from_cloud(cloud)
        tmin, tmax, _, qmin, qmax, fd = diurnal.weather_of_day(tmin - 273.16, tmax - 273.16, qd, ps, tau)
        ta, qa, fira, _, _, _ = diurnal.weather_of_hour(
            hour, diurnal.GAMMA[h], tmin, tmax, qmin, qmax, ps, cloud, 0.0, 0.0, 0.0, 3.0, 0.5, 1.0, 0.0
        )
        light = diurnal.light_of_hour(coszen, solar, tau, fd)
        rh = 100.0 * qa / thermodynamics.qsat(thermodynamics.esat(ta), ps)
        return (coszen, *light, ta, qa, rh, fira)

    names = ("coszen", "solad_vis", "solad_nir", "solai_vis", "solai_nir", "ta_K", "qa", "rh_pct", "fira")
    columns = (c[n] for n in ("lat", "jday", "hour", "cloud", "tmin_K", "tmax_K", "qd", "psurf"))
    return dict(zip(names, _rows(row, *columns), strict=True))


def texture(c: Columns) -> dict[str, np.ndarray]:
    """Soil constants of a texture; ``albsav`` is the visible albedo of the saturated soil."""

    def row(sand, clay):
        soil = soil_properties.soil_of_texture(sand, clay)
        return (soil_properties.texture_class(sand, clay), *soil[:7])

    names = ("class", "poros", "sfield_rel", "swilt_rel", "bex", "suction_m", "hydraul_ms", "albsav")
    return dict(zip(names, _rows(row, c["sand_pct"], c["clay_pct"]), strict=True))


_LAYER_STATE = tuple(
    State(f"{name}{k}", units, name) for name, units in (("tsoi", "K"), ("wsoi", "1"), ("wisoi", "1")) for k in range(1, 7)
)


def _carry_uptake(uptake_total, evaporation, train, rain, froot1, froot2, froot3, froot4, froot5, froot6):
    """Uptake spread by the root profile; leaves at 285 K."""
    uptake = uptake_total
    vapour_soil = evaporation
    rain_soil = rain
    train_soil = train
    tu = 285.0
    ta = 285.0
    tsno1 = 273.16
    stressu1 = froot1
    stressu2 = froot2
    stressu3 = froot3
    stressu4 = froot4
    stressu5 = froot5
    stressu6 = froot6
    return (
        uptake, vapour_soil, rain_soil, train_soil, tu, ta, tsno1, stressu1, stressu2, stressu3, stressu4, stressu5, stressu6
    )  # fmt: skip


_COLUMN = (
    _carry_uptake,
    Layers(soil_properties.conductivity, 1, 6),
    soil_properties.evaporation_shares,
    Repeat(1, SOIL),
)

soil_column_model = ProcessModel(
    name="ibis_soil",
    title="the soil column of IBIS alone, hourly",
    source=SOURCE,
    version=1,
    forcing=("heatg", "rain", "train", "evaporation", "uptake_total"),
    site={"sand": "sand, %", "clay": "clay, %"},
    parameters=parameters_of((*SETUP, *_COLUMN)),
    state=(*_LAYER_STATE, State("wpud", "kg m-2", "puddle water"), State("wipud", "kg m-2", "puddle ice")),
    outputs={"grunof": "kg m-2 s-1", "gdrain": "kg m-2 s-1", "gadjust": "kg m-2 s-1"},
    processes=_COLUMN,
    setup=SETUP,
    constants=CONSTANTS,
    width=32,
)
"""Surface heat (W m-2), rain (kg m-2 s-1) and its temperature (K), evaporation, root uptake; one row an hour."""


def soil_column(c: Columns) -> dict[str, np.ndarray]:
    """The soil column free-running through each texture's hours, from 35 + 5k % water and 280 + k/2 K."""
    m = soil_column_model
    results = [f"{n}{k}" for n in ("tsoi", "wsoi", "wisoi") for k in range(1, 7)]
    names = ["grunof", "gdrain", "gadjust", "wpud", "wipud", *results]
    sand, clay = np.asarray(c["sand"], dtype=float), np.asarray(c["clay"], dtype=float)
    out = {n: np.empty(len(sand)) for n in names}
    theta = np.array([[p.default] for p in PARAMETERS])
    columns = {
        "heatg": c["heatg"], "rain": c["raing"], "train": c["traing"], "evaporation": c["fvapg"], "uptake_total": c["uptake"]
    }  # fmt: skip
    for s, k in sorted(set(zip(sand, clay, strict=True))):
        here = (sand == s) & (clay == k)
        forcing = [np.asarray(columns[n], dtype=float)[here][:, None] for n in m.forcing]
        start = [[280.0 + 0.5 * j] for j in range(1, 7)] + [[0.35 + 0.05 * j] for j in range(1, 7)] + [[0.0]] * 8
        found, _ = m.run(theta, forcing, np.array([[s], [k]]), np.array(start), outputs=names)
        for n, y in zip(names, found, strict=True):
            out[n][here] = y[:, 0]
    return out


def soil_carbon_box(c: Columns) -> dict[str, np.ndarray]:
    """Ten years of daily soil carbon with the first year's decomposition factors repeated; sand 60 %."""
    day = np.asarray(c["day"], dtype=int)
    factors = {int(d): k for k, d in enumerate(day) if d <= 365}
    start = (0.02, 0.2, 0.1, 0.01, 0.1, 0.05, 0.01, 1.0, 0.5, 0.1, 3.0, 1.0, 5.0)
    pools: tuple[float, ...] = start
    names = (*POOLS, "totcmic", "csoislop", "csoislon", "csoipas", "totlit", "totcsoi", "co2mic_kgCm2d")
    wanted = {int(d): k for k, d in enumerate(day)}
    out = {n: np.full(len(day), np.nan) for n in names}
    for d in range(1, int(day.max()) + 1):
        k = factors[(d - 1) % 365 + 1]
        fall = (float(c[n][k]) for n in ("falll", "fallr", "fallw"))
        found = soil_carbon.soil_carbon(
            1.0, *fall, 365.0, float(c["decompl"][k]), float(c["decomps"][k]), 60.0, *pools, 0.0, 0.0
        )
        pools = found[:13]
        if d in wanted:
            for n, x in zip(names, found, strict=False):
                out[n][wanted[d]] = x
    return out


def annual_update(row: Columns, **parameters: float) -> dict[str, np.ndarray]:
    """Biomass, structure and litterfall of the next year, from a year's production (gC m-2 yr-1) and biomass (kgC m-2).

    Parameters are those of :data:`~gridcal.models.ibis.PARAMETERS` by name; IBIS's own for deciduous trees without them.
    """
    own = {p.name: p.default for p in PARAMETERS} | {"specla": 25.0, "tauleaf": 1.0} | parameters
    keys = ("specla", "tauleaf", "tauroot", "tauwood0", "aleaf", "aroot")

    def year(npp, leaves, wood, fine_roots):
        return vegetation.year_of_biomass(npp * 1e-3, leaves, wood, fine_roots, *(own[k] for k in keys))

    names = ("falll", "fallr", "fallw", "cbiol", "cbior", "cbiow", "plai", "fu", "ztop", "saiu", "sapfrac")
    columns = (row[n] for n in ("npp", "cbiol", "cbiow", "cbior"))
    return dict(zip(names, _rows(year, *columns), strict=True))


TABLES: dict[str, Callable[[Columns], dict[str, np.ndarray]]] = {
    "thermo": thermo,
    "leaf": leaf,
    "twostream": two_stream,
    "diurnal": disaggregated,
    "texture_lookup": texture,
    "soilcolumn": soil_column,
    "soilbgc": soil_carbon_box,
}
"""The tables of a reference folder and what computes them."""
