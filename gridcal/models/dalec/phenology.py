"""When leaves unfold and fall: degree days, the end of growth, and cold days in autumn."""

from __future__ import annotations

from gridcal.kernels.jit import lane


def dalec_weather(tasmin, tasmax):
    """Mean temperature of the day, degC."""
    tmean = 0.5 * (tasmax + tasmin)
    return tmean


def dalec_season(doy, lat):
    """Day of the year as the northern seasons have it: south of the equator 182 days later."""
    later = doy + 182.0
    later = later - 365.0 if later > 365.0 else later
    season_day = later if lat < 0.0 else doy
    return season_day


@lane
def switches(tmean, tasmin, season_day, Cf, gdd, max_fol, p12, p13, p17, p19, p20, stop):
    """Degree days, whether the canopy may still grow, and the switches of leaf-out and leaf fall.

    Degree days have base 0 and no floor. Leaf fall is on below the threshold of degree days, and after `p20` on days colder
    than `p13`, each for itself.
    """
    fresh = season_day <= p19
    gdd = (0.0 if fresh else gdd) + tmean
    max_fol = 1.0 if fresh else max_fol
    max_fol = 0.0 if (Cf >= p17) | (season_day >= stop) else max_fol
    warm = gdd >= p12
    multtl = max_fol if warm else 0.0
    multtf = 0.0 if warm else 1.0
    multtf = 1.0 if (season_day >= p20) & (tasmin < p13) else multtf
    return gdd, max_fol, multtl, multtf


def dalec_phenology(tmean, tasmin, season_day, Cf, gdd, max_fol, p12, p13, p17, p19, p20):
    """Phenology in which p20 both ends growth and starts leaf fall."""
    gdd, max_fol, multtl, multtf = switches(tmean, tasmin, season_day, Cf, gdd, max_fol, p12, p13, p17, p19, p20, p20)
    return gdd, max_fol, multtl, multtf


def dalec_phenology_stopped(tmean, tasmin, season_day, Cf, gdd, max_fol, p12, p13, p17, p19, p20, growth_stop_doy):
    """Phenology in which growth ends on a day of its own and p20 starts leaf fall."""
    gdd, max_fol, multtl, multtf = switches(
        tmean, tasmin, season_day, Cf, gdd, max_fol, p12, p13, p17, p19, p20, growth_stop_doy
    )
    return gdd, max_fol, multtl, multtf
