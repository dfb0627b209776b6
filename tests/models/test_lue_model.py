"""Light-use-efficiency model: declaration, lanes, state, missing data, domain and lag masks."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from gridcal.errors import GridcalError, ModelError
from gridcal.models.lue import PARAMETERS, PARAMETERS_WIDE, lag_masks, lue, response_functions, simulate_block

_spec = importlib.util.spec_from_file_location("lue_oracle", Path(__file__).with_name("lue_oracle.py"))
oracle = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(oracle)

LOW = np.array([-20.0, 0.0, 0.0, 0.0, 0.0, 350.0, 0.0])
HIGH = np.array([40.0, 5.0, 15.0, 1.0, 1.0, 600.0, 1.0])


def block(n, days=40, seed=0):
    """Parameters within the bounds, forcing and masks of n pixels."""
    rng = np.random.default_rng(seed)
    theta = PARAMETERS.from_unit(rng.random((n, 13))).T
    forcing = tuple(a + (b - a) * rng.random((days, n)) for a, b in zip(LOW, HIGH, strict=True))
    return theta, forcing, rng.integers(0, 2, (2, n)).astype(float)


def take(arrays, index):
    return tuple(a[:, index] for a in arrays)


def same(a, b):
    """Equal to the last bit, NaN for NaN."""
    np.testing.assert_array_equal(np.ascontiguousarray(a).view(np.int64), np.ascontiguousarray(b).view(np.int64))


def test_parameters_are_table_1():
    assert PARAMETERS.names == oracle.NAMES
    np.testing.assert_array_equal(PARAMETERS.lower, oracle.LOWER)
    np.testing.assert_array_equal(PARAMETERS.upper, oracle.UPPER)
    assert not PARAMETERS.log.any()
    assert not PARAMETERS.step.any()


def test_parameter_units():
    units = {p.name: p.units for p in PARAMETERS}
    assert units["Topt"] == units["kT"] == "degC"
    assert units["kappa"] == "kPa-1"
    assert units["Ca0"] == units["Cm"] == "ppm"
    assert "MJ-1" in units["eps_max"]
    assert all(p.description and p.source for p in PARAMETERS)


def test_wide_parameters_differ_in_kappa_and_eps_max_alone():
    assert PARAMETERS_WIDE.names == oracle.NAMES
    kappa, eps = PARAMETERS_WIDE["kappa"], PARAMETERS_WIDE["eps_max"]
    assert (kappa.lower, kappa.upper, kappa.scale) == (-1.0, -1e-4, "log10")
    assert (eps.lower, eps.upper) == (0.0, 7.1)
    for name in oracle.NAMES:
        if name not in ("kappa", "eps_max"):
            narrow, wide = PARAMETERS[name], PARAMETERS_WIDE[name]
            assert (wide.lower, wide.upper, wide.scale) == (narrow.lower, narrow.upper, "linear")
    np.testing.assert_allclose(PARAMETERS_WIDE.from_unit(np.full(13, 0.5))[3], -1e-2, rtol=1e-12)


def test_declaration():
    assert lue.name == "lue"
    assert tuple(lue.forcing) == oracle.FORCING
    assert tuple(lue.site) == ("lag_temperature", "lag_moisture")
    assert tuple(getattr(s, "name", s) for s in lue.state) == ("Tf", "Wf")
    assert tuple(lue.outputs) == ("gpp",)
    assert lue.parameters.names == oracle.NAMES
    assert isinstance(lue.version, int)


def test_default_parameters_run():
    _, forcing, site = block(3)
    (gpp,), state = lue.run(np.repeat(PARAMETERS.default[:, None], 3, axis=1), forcing, site)
    assert gpp.shape == (40, 3)
    assert state.shape == (2, 3)
    assert (gpp > 0).all()
    assert (gpp < 150).all()  # 10 gC MJ-1 times 15 MJ


@pytest.mark.parametrize("n", [1, 31, 32, 33, 63, 64, 65, 100, 130])
def test_a_pixel_does_not_depend_on_its_neighbours(n):
    theta, forcing, site = block(130)
    (everything,), state = lue.run(theta, forcing, site)
    for index in (np.arange(n), np.arange(130 - n, 130), np.random.default_rng(n).permutation(130)[:n]):
        (part,), part_state = lue.run(theta[:, index], take(forcing, index), site[:, index])
        same(part, everything[:, index])
        same(part_state, state[:, index])


def test_response_functions_do_not_depend_on_the_neighbours():
    theta, forcing, site = block(100)
    everything = response_functions(theta, forcing, site)
    for pixel in (0, 31, 63, 64, 99):
        alone = response_functions(theta[:, [pixel]], take(forcing, [pixel]), site[:, [pixel]])
        for name, values in alone.items():
            same(values, everything[name][:, [pixel]])


@pytest.mark.parametrize("shared", [range(7), (5,), (0, 4)])
def test_shared_forcing_equals_repeated_forcing(shared):
    theta, forcing, site = block(70)
    narrow = tuple(a[:, :1] if k in shared else a for k, a in enumerate(forcing))
    full = tuple(np.repeat(a, 70, axis=1) if a.shape[1] == 1 else a for a in narrow)
    (got,), state = lue.run(theta, narrow, site)
    (expected,), full_state = lue.run(theta, full, site)
    assert got.shape == (40, 70)
    same(got, expected)
    same(state, full_state)


def test_simulate_block_is_the_model_run():
    theta, forcing, site = block(5)
    (expected,), state = lue.run(theta, forcing, site)
    (got,), last = simulate_block(theta, forcing, site)
    same(got, expected)
    same(last, state)


@pytest.mark.parametrize("day", [1, 2, 17, 39])
def test_a_split_run_equals_the_whole_run(day):
    theta, forcing, site = block(50)
    site[:] = 1
    (whole,), last = lue.run(theta, forcing, site)
    (first,), middle = lue.run(theta, tuple(a[:day] for a in forcing), site)
    (second,), end = lue.run(theta, tuple(a[day:] for a in forcing), site, middle)
    same(np.vstack([first, second]), whole)
    same(end, last)


def test_a_run_day_by_day_equals_the_whole_run():
    theta, forcing, site = block(3)
    site[:] = 1
    (whole,), last = lue.run(theta, forcing, site)
    state, days = None, []
    for day in range(40):
        (gpp,), state = lue.run(theta, tuple(a[day : day + 1] for a in forcing), site, state)
        days.append(gpp)
    same(np.vstack(days), whole)
    same(state, last)


def test_cold_start_begins_with_the_first_day():
    theta, forcing, site = block(4)
    site[:] = 1
    f = response_functions(theta, forcing, site)
    np.testing.assert_allclose(f["Tf"][0], forcing[0][0], rtol=1e-14)
    np.testing.assert_allclose(f["Wf"][0], forcing[4][0], rtol=1e-14)


def test_state_is_the_last_filtered_day():
    theta, forcing, site = block(40)
    f = response_functions(theta, forcing, site)
    _, state = lue.run(theta, forcing, site)
    np.testing.assert_array_equal(state, [f["Tf"][-1], f["Wf"][-1]])


def test_inputs_are_left_alone():
    theta, forcing, site = block(6)
    _, state = lue.run(theta, forcing, site)
    before = [a.copy() for a in (theta, *forcing, site, state)]
    lue.run(theta, forcing, site, state)
    for old, new in zip(before, (theta, *forcing, site, state), strict=True):
        same(old, new)


def test_strided_forcing_equals_its_copy():
    theta, forcing, site = block(80)
    views = tuple(a[::2, ::2] for a in forcing)
    (got,), _ = lue.run(theta[:, ::2], views, site[:, ::2])
    (expected,), _ = lue.run(theta[:, ::2].copy(), tuple(a.copy() for a in views), site[:, ::2].copy())
    same(got, expected)
    (transposed,), _ = lue.run(theta, tuple(np.asfortranarray(a) for a in forcing), site)
    same(transposed, lue.run(theta, forcing, site)[0][0])


@pytest.mark.parametrize("name", oracle.FORCING)
def test_missing_forcing_is_missing_gpp_in_that_pixel_alone(name):
    theta, forcing, site = block(70)
    (clean,), _ = lue.run(theta, forcing, site)
    holed = [a.copy() for a in forcing]
    holed[oracle.FORCING.index(name)][:, 33] = np.nan
    (gpp,), _ = lue.run(theta, tuple(holed), site)
    assert np.isnan(gpp[:, 33]).all()
    same(np.delete(gpp, 33, axis=1), np.delete(clean, 33, axis=1))


@pytest.mark.parametrize("name", oracle.FORCING)
def test_one_missing_day_is_missing_from_there_on(name):
    theta, forcing, site = block(5)
    (clean,), _ = lue.run(theta, forcing, site)
    holed = [a.copy() for a in forcing]
    holed[oracle.FORCING.index(name)][7, 2] = np.nan
    (gpp,), state = lue.run(theta, tuple(holed), site)
    assert np.isnan(gpp[7:, 2]).all()
    assert np.isnan(gpp).sum() == 33
    same(gpp[~np.isnan(gpp)], clean[~np.isnan(gpp)])
    assert np.isnan(state[:, 2]).any()
    assert np.isfinite(np.delete(state, 2, axis=1)).all()


@pytest.mark.parametrize("name", oracle.FORCING)
@pytest.mark.parametrize("day", [7, 8, 20])
def test_a_split_run_with_a_missing_day_equals_the_whole_run(name, day):
    theta, forcing, site = block(5)
    forcing[oracle.FORCING.index(name)][7, 2] = np.nan
    (whole,), last = lue.run(theta, forcing, site)
    (first,), middle = lue.run(theta, tuple(a[:day] for a in forcing), site)
    (second,), end = lue.run(theta, tuple(a[day:] for a in forcing), site, middle)
    np.testing.assert_array_equal(np.vstack([first, second]), whole)
    np.testing.assert_array_equal(end, last)


@pytest.mark.parametrize("name", oracle.NAMES)
def test_missing_parameter_is_missing_gpp_in_that_pixel_alone(name):
    theta, forcing, site = block(70)
    site[:] = 1
    (clean,), _ = lue.run(theta, forcing, site)
    theta[oracle.NAMES.index(name), 33] = np.nan
    (gpp,), _ = lue.run(theta, forcing, site)
    assert np.isnan(gpp[1:, 33]).all()
    same(np.delete(gpp, 33, axis=1), np.delete(clean, 33, axis=1))


@pytest.mark.parametrize("value", [340.0, 339.9, 280.0, 0.0])
def test_low_co2_is_refused(value):
    _, forcing, _ = block(4)
    forcing[5][11, 3] = value
    with pytest.raises(ModelError, match="co2"):
        lue.check_forcing(forcing)


def test_allowed_forcing_passes_the_check():
    _, forcing, _ = block(4)
    forcing[5][11, 3] = 340.001
    lue.check_forcing(forcing)
    lue.check_forcing(tuple(a.astype(np.float32) for a in forcing))
    for a in forcing:
        a[3, 1] = np.nan
    lue.check_forcing(forcing)


def test_wrong_shapes_are_named():
    theta, forcing, site = block(4)
    with pytest.raises(ModelError, match="theta"):
        lue.run(theta[:12], forcing, site)
    with pytest.raises(ModelError, match="forcing"):
        lue.run(theta, forcing[:6], site)
    for k, name in enumerate(oracle.FORCING[1:], start=1):
        short = tuple(a[:-1] if i == k else a for i, a in enumerate(forcing))
        with pytest.raises(ModelError, match=name):
            lue.run(theta, short, site)
        narrow = tuple(a[:, :3] if i == k else a for i, a in enumerate(forcing))
        with pytest.raises(ModelError, match=name):
            lue.run(theta, narrow, site)


KOEPPEN = ("Af", "BWh", "BSk", "Csa", "Cfb", "Dfb", "Dwc", "ET", "EF")


@pytest.mark.parametrize(
    ("mask", "temperature", "moisture"),
    [("bao2023", "D", "B"), ("de2025", "CDE", "B"), ("all", "ABCDE", "ABCDE")],
)
def test_lag_masks(mask, temperature, moisture):
    masks = lag_masks(KOEPPEN, mask=mask)
    assert masks.shape == (2, len(KOEPPEN))
    np.testing.assert_array_equal(masks[0], [k[0] in temperature for k in KOEPPEN])
    np.testing.assert_array_equal(masks[1], [k[0] in moisture for k in KOEPPEN])


def test_lag_masks_of_the_paper_are_the_default():
    np.testing.assert_array_equal(lag_masks(KOEPPEN), lag_masks(KOEPPEN, mask="bao2023"))


def test_unknown_lag_mask_is_named():
    with pytest.raises(GridcalError, match="boreal"):
        lag_masks(KOEPPEN, mask="boreal")


def test_lag_masks_drive_the_filters():
    theta, forcing, _ = block(len(KOEPPEN))
    f = response_functions(theta, forcing, lag_masks(KOEPPEN))
    lagged = (f["Tf"] != forcing[0]).any(axis=0)
    np.testing.assert_array_equal(lagged, [k[0] == "D" for k in KOEPPEN])
    lagged = (f["Wf"] != forcing[4]).any(axis=0)
    np.testing.assert_array_equal(lagged, [k[0] == "B" for k in KOEPPEN])
