"""A missing value of any forcing leaves no output a number, from its day on, in any model: each lane lacks another variable."""

import numpy as np
import pytest

from gridcal.models.dalec import dalec_model
from gridcal.models.dalec2 import dalec2, dalec2_model
from gridcal.models.ibis import ibis, ibis_hour, ibis_model
from gridcal.models.ibis.components import soil_column_model
from gridcal.models.ibis_dalec import ibis_dalec, ibis_dalec_model
from gridcal.models.lue import lue

DAYS, DAY = 6, 3
USUAL = {
    "tas": 12.0, "tasmin": 6.0, "tasmax": 18.0, "vpd": 0.8, "par": 7.0, "fapar": 0.7, "wai": 0.6, "co2": 380.0, "ci": 0.5,
    "rsds": 180.0, "doy": 170.0, "day": 11500.0, "year_length": 365.0, "pr": 3.0, "sfcWind": 3.0, "huss": 0.007, "ps": 98000.0,
    "clt": 0.4, "gpp": 6.0, "lai": 3.0, "rlds": 320.0, "coszen": 0.5, "solad_vis": 60.0, "solad_nir": 70.0, "solai_vis": 50.0,
    "solai_nir": 50.0, "fira": 320.0, "ta": 285.0, "qa": 0.007, "ua": 3.0, "raina": 1.0e-5, "snowa": 0.0, "td": 285.0,
    "laiu": 3.0, "frac": 1.0, "heatg": 20.0, "rain": 1.0e-5, "train": 285.0, "evaporation": 1.0e-5, "uptake_total": 1.0e-5,
}  # fmt: skip
PLACE = {"lat": 42.5, "lon": -72.2, "sand": 60.0, "clay": 10.0, "utc_offset": -5.0, "sai": 0.75, "fu": 0.975, "ztop": 15.0,
         "zbot": 3.0, "sapfrac": 0.1, "cbiow": 5.0, "cbior": 0.06, "cbiol": 0.12}  # fmt: skip


def without(model, hour=0):
    """Outputs and last state of lanes that each lack one forcing variable on one day (at one hour), the last one none."""
    n, rows = len(model.forcing) + 1, model.steps * DAYS
    forcing = [np.full((rows, n), USUAL[name]) for name in model.forcing]
    for lane in range(n - 1):
        forcing[lane][model.steps * DAY + hour, lane] = np.nan
    theta = np.repeat(np.array([[p.default] for p in model.parameters]), n, axis=1)
    site = np.array([[PLACE[name] if name in PLACE else model.site_default[name]] for name in model.site])
    names = (*model.outputs, *model.extra_outputs)
    found, state = model.run(theta, forcing, site if model.site else None, outputs=names)
    return dict(zip(names, found, strict=True)), state


def check(model, hour=0):
    found, state = without(model, hour)
    first = model.results * DAY
    for name, values in found.items():
        for lane, lacking in enumerate(model.forcing):
            assert np.isnan(values[first:, lane]).all(), f"{name} without {lacking}"
            np.testing.assert_array_equal(values[:first, lane], values[:first, -1], err_msg=f"{name} before {lacking} is lost")
        assert np.isfinite(values[:, -1]).all(), name
    assert np.isnan(state[:, :-1]).all()
    assert np.isfinite(state[:, -1]).all()


@pytest.mark.parametrize(
    "model",
    [lue, dalec_model(), dalec_model(gpp="given"), dalec_model(scheme="reflex"), dalec2, dalec2_model(gpp="given"),
     soil_column_model, ibis, ibis_dalec],
    ids=lambda m: m.name,
)  # fmt: skip
def test_no_output_is_a_number_where_forcing_is_missing(model):
    check(model)


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [ibis_hour, ibis_model("radiation"), ibis_model("daily", "dynamic"), ibis_model("daily", "prescribed"),
     ibis_model("disaggregated"), ibis_dalec_model(soil="ibis", plants="ibis", stems="canopy")],
    ids=lambda m: m.name,
)  # fmt: skip
def test_no_output_of_a_variant_is_a_number_where_forcing_is_missing(model):
    check(model, 5 if model.steps > 1 else 0)


@pytest.mark.slow
@pytest.mark.parametrize("hour", [0, 3, 23])
@pytest.mark.parametrize("record", ["day", "hour"])
def test_one_missing_record_of_an_hour_blanks_its_day_and_the_days_after(hour, record):
    check(ibis_model("hourly", record=record), hour)
