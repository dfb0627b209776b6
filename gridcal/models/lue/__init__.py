"""The light-use-efficiency model of Bao et al. (2023): daily GPP from absorbed light and five response functions."""

from __future__ import annotations

import numpy as np

from gridcal.errors import ConfigError
from gridcal.models.lue.constraint import RESPONSE_COST, constraint
from gridcal.models.lue.gradient import sse_gradient
from gridcal.models.lue.parameters import PARAMETERS, PARAMETERS_WIDE
from gridcal.models.lue.physics import PROCESSES
from gridcal.models.lue.site_days import SiteDays
from gridcal.process.model import ProcessModel, State

__all__ = [
    "PARAMETERS",
    "PARAMETERS_WIDE",
    "SiteDays",
    "constraint",
    "lag_masks",
    "lue",
    "response_functions",
    "simulate_block",
    "sse_gradient",
]

RESPONSES = ("fT", "fVPD", "fCO2", "fW", "fL", "fCI", "Tf", "Wf", "apar")

lue = ProcessModel(
    name="lue",
    title="light-use efficiency with 13 parameters, daily GPP",
    source="Bao et al. 2023, JAMES 15(8), 10.1029/2022MS003464",
    version=1,
    forcing=("tas", "vpd", "par", "fapar", "wai", "co2", "ci"),
    site={
        "lag_temperature": "1 where the temperature lag acts, else 0",
        "lag_moisture": "1 where the moisture lag acts, else 0",
    },
    parameters=PARAMETERS,
    state=(
        State("Tf", "degC", "lagged temperature", initial="tas"),
        State("Wf", "1", "lagged soil moisture", initial="wai"),
    ),
    outputs={"gpp": "gC m-2 d-1"},
    extra_outputs={
        "fT": "1",
        "fVPD": "1",
        "fCO2": "1",
        "fW": "1",
        "fL": "1",
        "fCI": "1",
        "Tf": "degC",
        "Wf": "1",
        "apar": "MJ m-2 d-1",
    },
    processes=PROCESSES,
    domain={"co2": (np.nextafter(340.0, 341.0), np.inf)},
    site_default={"lag_temperature": 0.0, "lag_moisture": 0.0},
    constraints=(RESPONSE_COST,),
    penalty_gradient=constraint,
    gradient=sse_gradient,
    site_days=SiteDays,
)

simulate_block = lue.run


def response_functions(theta, forcing, site=None):
    """The response functions of the model, day by day.

    Parameters
    ----------
    theta : array, shape (13, n)
        Parameters in the public order.
    forcing : sequence of arrays, each (T, n) or (T, 1)
        tas, vpd, par, fapar, wai, co2, ci.
    site : array, shape (2, n), optional
        The lag masks; 0 without them.

    Returns
    -------
    dict of str to array, shape (T, n)
        fT, fVPD (the VPD part alone), fCO2, fW, fL, fCI, the filtered Tf and Wf, and apar.
    """
    values, _ = lue.run(theta, forcing, site, outputs=RESPONSES)
    return dict(zip(RESPONSES, values, strict=True))


_LAG_REGIONS = {"bao2023": ("D", "B"), "de2025": ("CDE", "B")}


def lag_masks(koeppen, mask="bao2023"):
    """Where the lag filters act.

    Parameters
    ----------
    koeppen : sequence of str
        Koeppen-Geiger class of each pixel; its first letter decides.
    mask : {"bao2023", "de2025", "all"}
        Temperature lag in D, moisture lag in B (the paper); in C, D, E and B (the authors' later code); everywhere.

    Returns
    -------
    array, shape (2, n)
        lag_temperature and lag_moisture, 0 or 1.

    Raises
    ------
    ConfigError
        If `mask` is unknown.
    """
    letters = [str(k).strip()[:1].upper() for k in koeppen]
    if mask == "all":
        return np.ones((2, len(letters)))
    if mask not in _LAG_REGIONS:
        raise ConfigError(f"unknown lag mask {mask!r}", "Use 'bao2023', 'de2025' or 'all'")
    cold, dry = _LAG_REGIONS[mask]
    return np.array([[k != "" and k in cold for k in letters], [k != "" and k in dry for k in letters]], dtype=float)
