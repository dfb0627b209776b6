"""Results of an hour and of a day in the units users expect."""

from __future__ import annotations

from gridcal.models.ibis.constants import HSOI, RHO_SNOW, RHOW
from gridcal.models.ibis.thermodynamics import hvapf

H1, H2, H3, H4, H5, H6 = HSOI


def heterotrophic(co2mic):
    """Heterotrophic respiration, constant over the day: gC m-2 d-1 and mol m-2 s-1."""
    rh = co2mic * 1000.0
    rmic = co2mic / (86400.0 * 0.012)
    return rh, rmic


def energy_of_hour(solad_vis, solad_nir, solai_vis, solai_nir, swnet, fira, firb, fvapa, tu, ta):
    """Incoming shortwave, net radiation and latent heat, W m-2."""
    swdown = solad_vis + solad_nir + solai_vis + solai_nir
    rnet = swnet + fira - firb
    latent_hour = -fvapa * hvapf(tu, ta)
    return swdown, rnet, latent_hour


def exchange_of_hour(ra_leaf, ra_wood, ra_root, ra_growth, npp, rmic, fvapa, fsena):
    """Autotrophic respiration and net ecosystem exchange (mol m-2 s-1), evapotranspiration, upward sensible heat."""
    ra_hour = ra_leaf + ra_wood + ra_root + ra_growth
    nee_hour = rmic - npp
    et_hour = -fvapa
    sens_hour = -fsena
    return ra_hour, nee_hour, et_hour, sens_hour


def snow_of_hour(fi, hsno1, hsno2, hsno3):
    """Water in the snow pack, kg m-2."""
    snow_water = fi * RHO_SNOW * (hsno1 + hsno2 + hsno3)
    return snow_water


def factors_of_day(litter_sum, humus_sum):
    """Decomposition factors of this day, for tomorrow's soil carbon."""
    decompl = litter_sum
    decomps = humus_sum
    return decompl, decomps


def carbon_of_day(day_gpp, day_npp, rh):
    """Autotrophic and ecosystem respiration, net ecosystem exchange (positive to the atmosphere), gC m-2 d-1."""
    ra = day_gpp - day_npp
    reco = ra + rh
    nee = rh - day_npp
    return ra, reco, nee


def stores_of_day(
    wsoi1, wsoi2, wsoi3, wsoi4, wsoi5, wsoi6, wisoi1, wisoi2, wisoi3, wisoi4, wisoi5, wisoi6, poros, wpud, wipud, fi, hsno1,
    hsno2, hsno3, wliqu, wsnou, wliqs, wsnos, laiu, sai, fu,
):  # fmt: skip
    """Snow depth (m, where it lies) and cover; all water in soil, puddles, snow and canopy, kg m-2."""
    snowdepth = hsno1 + hsno2 + hsno3
    snowfrac = fi
    soil = H1 * ((1.0 - wisoi1) * wsoi1 + wisoi1) + H2 * ((1.0 - wisoi2) * wsoi2 + wisoi2)
    soil = soil + H3 * ((1.0 - wisoi3) * wsoi3 + wisoi3) + H4 * ((1.0 - wisoi4) * wsoi4 + wisoi4)
    soil = soil + H5 * ((1.0 - wisoi5) * wsoi5 + wisoi5) + H6 * ((1.0 - wisoi6) * wsoi6 + wisoi6)
    canopy = fu * 2.0 * (laiu * (wliqu + wsnou) + sai * (wliqs + wsnos))
    storage_total = RHOW * poros * soil + wpud + wipud + fi * RHO_SNOW * snowdepth + canopy
    return snowdepth, snowfrac, storage_total
