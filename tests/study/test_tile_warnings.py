"""What tiles warn of reaches whoever waits for them, once of each kind."""

import warnings

import numpy as np
import pytest
import xarray as xr

from gridcal.study.folder import Study
from gridcal.study.tile_warnings import TileWarning, pass_on


def test_one_of_each_kind():
    told = [
        "GapWarning: forcing 'tas' is missing 1 times",
        "GapWarning: forcing 'tas' is missing 7 times",
        "RangeWarning: 'x' is",
    ]
    with pytest.warns(TileWarning) as caught:
        pass_on(told, "stage 'fluxes'")
    assert [str(w.message) for w in caught] == [
        "stage 'fluxes': forcing 'tas' is missing 1 times (2 tiles say the like)",
        "stage 'fluxes': 'x' is",
    ]


def _told(x):
    warnings.warn("forcing 'tas' is odd", UserWarning, stacklevel=1)
    return x


def test_of_a_stage(tmp_path):
    plain = xr.Dataset({"a": ("pixel", np.arange(6.0))}).chunk(pixel=2)
    lazy = plain.map_blocks(_told, template=plain)
    with pytest.warns(TileWarning, match="stage 'x': forcing 'tas' is odd .3 tiles say the like."):
        saved = Study(tmp_path / "a.study").save("x", lazy, progress=False)
    assert saved.a.values.tolist() == list(range(6))
