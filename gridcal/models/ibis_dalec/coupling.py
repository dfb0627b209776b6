"""What passes between IBIS and DALEC once a day (carbon in gC m-2; IBIS keeps kgC m-2)."""

from __future__ import annotations

from gridcal.models.ibis.carbon.phenology import LAI_MAX


def canopy_of_pools(Cf, p18, fu):
    """Leaf area of the morning, m2 m-2, and as the physics sees it: per unit area under trees, at most 12."""
    lai_start = Cf / p18
    laiu = min(lai_start / fu, LAI_MAX)
    frac = 1.0
    return lai_start, laiu, frac


def stems_of_canopy(p17, p18):
    """Stem area index, a quarter of the fullest canopy's leaf area, as in IBIS."""
    sai = 0.25 * min(LAI_MAX, p17 / p18)
    return sai


def biomass_of_pools(Cw, Cr):
    """Wood and fine roots that IBIS's maintenance respiration sees, kgC m-2."""
    cbiow = 1.0e-3 * Cw
    cbior = 1.0e-3 * Cr
    return cbiow, cbior


def litterfall_of_yesterday(Lf, Lr, Lw, year_length):
    """Yesterday's litter of the pools as IBIS's soil takes it: kgC m-2 yr-1, of which it uses a day's share."""
    falll = 1.0e-3 * Lf * year_length
    fallr = 1.0e-3 * Lr * year_length
    fallw = 1.0e-3 * Lw * year_length
    return falll, fallr, fallw


def production_of_day(day_gpp):
    """GPP of the 24 hours, gC m-2 d-1."""
    G = day_gpp
    return G


def extremes_of_record(hot, cold):
    """The day's extremes of hourly air temperature, degC."""
    tasmax = hot
    tasmin = cold
    return tasmax, tasmin


def plants_of_ibis(day_ra_leaf, day_ra_wood, day_ra_root, day_ra_growth):
    """Autotrophic respiration as IBIS reckons it, gC m-2 d-1: a diagnostic, since the pools pay DALEC's."""
    ra = day_ra_leaf + day_ra_wood + day_ra_root + day_ra_growth
    return ra


def soil_of_ibis(co2mic):
    """Heterotrophic respiration of IBIS's soil, gC m-2 d-1."""
    rh = 1.0e3 * co2mic
    return rh


def exchange_of_day(G, ra, rh):
    """Ecosystem respiration and net ecosystem exchange (positive to the atmosphere), gC m-2 d-1."""
    reco = ra + rh
    nee = reco - G
    return reco, nee
