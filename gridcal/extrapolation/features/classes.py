"""The six classes of features: bioclimate, vegetation indices, nitrogen and phosphorus, soil, vegetation type, climate type."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

FEATURE_CLASSES: dict[str, tuple[str, ...]] = {
    "BioClim": (
        "bio*", "sunshine_pct", "p_over_pet", "nn_ai", "nn_alpha", "nn_pet", "nn_aet", "elv",
        "tas_*", "vpd_*", "wai_*", "apar_*", "ci_*", "log_pr", "log_pr_over_pet",
    ),
    "VIF": ("evi_*", "fapar_*", "ndvi_*", "bess_ndvi_*", "cor_*"),
    "NPdep": ("ndep_*", "pdep_*"),
    "Soil": ("hwsd_*", "gsde_*", "nn_awc", "nn_drain", "nn_wtd", "whc", "field_capacity", "sand", "clay"),
    "PFT": ("igbp", "pft", "bess_*", "peakvcmax_*", "ball_berry_*", "carbon_uptake_efficiency", "kn"),
    "Clim": ("koeppen*", "climate"),
}  # fmt: skip
"""Patterns of feature names by class; the first match counts."""

NEVER_FEATURES: tuple[str, ...] = (
    "lat", "lon", "n_lue", "*_dist_km", "site", "mcd12c1_igbp2019", "gpp*", "nee*", "reco*", "et",
    "nn_prec", "nn_aet_o_p", "nn_pet_o_p", "lag_*", "koeppen_class",
)  # fmt: skip
"""Position, look-up distances, what is made from fluxes, and doubles of other columns."""


def class_of(name: str) -> str:
    """Class of a feature, or ``Other``.

    Examples
    --------
    >>> [class_of(n) for n in ("bio12", "fapar_amp", "bess_kn", "bess_ndvi_maximum", "igbp", "koeppen", "height")]
    ['BioClim', 'VIF', 'PFT', 'VIF', 'PFT', 'Clim', 'Other']
    """
    for kind, patterns in FEATURE_CLASSES.items():
        if any(fnmatch.fnmatchcase(name, p) for p in patterns):
            return kind
    return "Other"


def classes_of(names: Iterable[str]) -> dict[str, str]:
    """Class of each feature."""
    return {n: class_of(n) for n in names}
