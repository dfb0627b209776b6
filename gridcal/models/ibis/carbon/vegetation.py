"""Annual biomass and structure of the forest (``dynaveg``)."""

from __future__ import annotations

from gridcal.kernels.elementary import vexp
from gridcal.kernels.jit import lane

DISTURBANCE = 0.005 + 0.005  # yr-1, fire and others
MEMORY = 0.9672161004820059  # exp(-1/30): weight of the past in the climate memory


@lane
def grown(pool, share, tau, npp):
    """A biomass pool (kgC m-2) after a year of allocation and turnover."""
    keep = vexp(-1.0 / tau)
    return pool * keep + share * tau * max(0.0, npp) * (1.0 - keep)


@lane
def year_of_biomass(npp, cbiol, cbiow, cbior, specla, tauleaf, tauroot, tauwood0, aleaf, aroot):
    """Litterfall of the year, biomass after it, and the structure that follows; `npp` in kgC m-2 yr-1."""
    falll = cbiol / tauleaf
    fallr = cbior / tauroot
    fallw = cbiow / tauwood0
    cbiol = grown(cbiol, aleaf, tauleaf, npp)
    cbior = grown(cbior, aroot, tauroot, npp)
    cbiow = grown(cbiow, 1.0 - aleaf - aroot, tauwood0, npp)
    wood = 0.001 + cbiow
    cbiol = max(cbiol * (1.0 - DISTURBANCE), 0.01 / specla)
    cbior = cbior * (1.0 - DISTURBANCE)
    cbiow = cbiow * (1.0 - DISTURBANCE)
    plai = cbiol * specla
    fu = min(max((1.0 - vexp(-wood)) / (1.0 - vexp(-7.5)) * 0.99, 0.25), 0.975)
    ztop = max(4.0, 2.5 * (cbiol + cbior + cbiow) / fu * 0.75)
    sai = 0.25 * plai
    sapfrac = min(max(1.0e-4 * 0.75 * ztop * 400.0 / wood, 0.05), 0.5)
    return falll, fallr, fallw, cbiol, cbior, cbiow, plai, fu, ztop, sai, sapfrac


def climate_memory_day(a10_min, a10_celsius):
    """Lowest ten-day temperature (degC) of the year so far."""
    a10_min = min(a10_min, a10_celsius)
    return a10_min


def production_so_far(npp_year, day_npp):
    """Net primary production of the year so far, gC m-2."""
    npp_year = npp_year + day_npp
    return npp_year


def year_end(
    doy, year_length, npp_year, a10_min, tc, cbiol, cbiow, cbior, falll, fallr, fallw, plai, fu, ztop, sai, sapfrac, specla,
    tauleaf, tauroot, tauwood0, aleaf, aroot,
):  # fmt: skip
    """On the year's last day: biomass, leaf area potential, structure, litterfall of the next year, cold memory."""
    last = doy >= year_length
    f1, f2, f3, c1, c2, c3, p, cover, top, stems, sap = year_of_biomass(
        npp_year * 1.0e-3, cbiol, cbiow, cbior, specla, tauleaf, tauroot, tauwood0, aleaf, aroot
    )
    falll = f1 if last else falll
    fallr = f2 if last else fallr
    fallw = f3 if last else fallw
    cbiol = c1 if last else cbiol
    cbior = c2 if last else cbior
    cbiow = c3 if last else cbiow
    plai = p if last else plai
    fu = cover if last else fu
    ztop = top if last else ztop
    sai = stems if last else sai
    sapfrac = sap if last else sapfrac
    tc = MEMORY * tc + (1.0 - MEMORY) * a10_min if last else tc
    npp_year = 0.0 if last else npp_year
    a10_min = 1.0e9 if last else a10_min
    return npp_year, a10_min, tc, cbiol, cbiow, cbior, falll, fallr, fallw, plai, fu, ztop, sai, sapfrac
