"""Leaf display of cold-deciduous trees (``pheno``), or leaf area from outside."""

from __future__ import annotations

from gridcal.models.ibis.constants import EPSILON, TMELT

LAI_MAX = 12.0


def leaf_display(td, a10td, agddu, tempu, tc, plai, fu):
    """Leaf display (0 to 1) from the ten-day temperature and growing degree days; leaf area per unit area under trees.

    Leaves unfold over 50 degree days after 100, and drop over 15 days once the ten-day mean is below the threshold
    max(0, tc + 5) degC, `tc` being the long memory of the coldest ten-day mean.
    """
    mean = a10td - TMELT
    threshold = max(0.0, tc + 5.0)
    agddu = 0.0 if mean < 0.0 else agddu + (td - TMELT)
    fall = max(0.0, tempu - 1.0 / 15.0)
    rise = min(max((agddu - 100.0) / 50.0, 0.0), 1.0)
    tempu = fall if mean < threshold else rise
    lai = plai * tempu
    laiu = min(lai / fu, LAI_MAX)
    frac = lai / max(lai, EPSILON)
    return agddu, tempu, lai, laiu, frac


def leaf_area_given(lai, fu):
    """Leaf area supplied from outside (per unit ground); the physics sees at most 12 per unit area under trees."""
    laiu = min(max(lai, 0.0) / fu, LAI_MAX)
    frac = 1.0
    return laiu, frac
