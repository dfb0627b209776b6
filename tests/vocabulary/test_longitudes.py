"""Longitudes on one turn."""

import numpy as np

from gridcal.vocabulary.longitudes import first_of_place, wrapped


def test_a_turn_more_or_less_is_the_same_place():
    lon = np.random.default_rng(0).uniform(-180, 180, 200)
    for turns in (-2, -1, 1, 2):
        np.testing.assert_allclose(wrapped(lon + 360 * turns), lon, atol=1e-9)
    np.testing.assert_array_equal(wrapped(lon), lon)
    assert wrapped([180.0, -180.0, 360.0, 359.5]).tolist() == [-180.0, -180.0, 0.0, -0.5]
    assert np.isnan(wrapped([np.nan])).all()


def test_only_a_column_that_stands_twice_is_left_out():
    assert first_of_place(np.arange(0.0, 360.0, 2.5)).all()
    assert first_of_place(np.linspace(-180.0, 180.0, 145)).tolist() == [True] * 144 + [False]
    assert first_of_place(np.linspace(0, 360, 1441, dtype=np.float32)).sum() == 1440
    assert first_of_place([-75.0]).all()
