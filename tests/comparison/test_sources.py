"""What a comparison reads: units, classes and orders that differ between its sources, or from the one before."""

import numpy as np
import pytest

from gridcal.comparison.config import parse_comparison
from gridcal.comparison.folds import site_folds
from gridcal.comparison.sources import comparison_sources
from gridcal.errors import InputError
from gridcal.synthetic.sites import synthetic_sites

FLAGS = {"flag_values": [1, 4], "flag_meanings": "ENF DBF"}


@pytest.fixture(scope="module")
def data():
    made = synthetic_sites(20, 1, seed=4)
    ds = made.cube.data.drop_vars("cycles").reset_coords(["pft", "climate", "climate_class"], drop=True)
    names = np.array(["DBF", "ENF"] * 10)
    ds = ds.assign(igbp=("site", names), koeppen=("site", np.array(["Dfb", "Cfa"] * 10)))
    return ds.assign(slope=("site", np.linspace(0.0, 30.0, 20), {"units": "%"}), cover=("site", names))


def sources(tmp_path, first, second=None, **section):
    document = {"kind": "compare", "model": {"name": "lue", "lag": "bao2023"}, "methods": ["PFTmean"]}
    for key, ds in (("data", first), ("test_data", second)):
        if ds is not None:
            path = tmp_path / f"{key}.zarr"
            ds.drop_encoding().to_zarr(path, zarr_format=3, consolidated=False, mode="w")
            document[key] = {"kind": "cube", "source": str(path), "observed": {"gpp": "gpp_obs"}, **section}
    config = parse_comparison(document)
    return config, comparison_sources(config, config.model.build())


def new(ds):
    return ds.assign_coords(site=[f"new-{k:02d}" for k in range(20)])


def test_a_second_source_is_brought_to_the_units_of_the_first(tmp_path, data):
    other = new(data).assign(slope=("site", np.linspace(0.0, 0.3, 20), {"units": "1"}))
    found = sources(tmp_path, data, other, features=["slope"])[1].data
    np.testing.assert_allclose(found["slope"][20:], np.linspace(0.0, 30.0, 20), atol=1e-12)
    assert found["slope"].attrs["units"] == "%"
    with pytest.raises(InputError, match="'slope' is in 'mm', but what it meets is in '%'"):
        sources(tmp_path, data, new(data).assign(slope=data["slope"].assign_attrs(units="mm")), features=["slope"])


def test_a_second_source_of_codes_goes_with_a_first_of_names(tmp_path, data):
    codes = np.array([4, 1] * 10, dtype=np.int8)
    other = new(data).assign(cover=("site", codes, FLAGS), igbp=("site", codes, FLAGS))
    found = sources(tmp_path, data, other, features=["cover"])[1].data
    assert found["cover"].values.tolist() == ["DBF", "ENF"] * 20
    assert found["pft"].values.tolist() == ["DBF", "ENF"] * 20
    with pytest.raises(InputError, match="'cover' is numbers without flag_meanings"):
        sources(tmp_path, data, new(data).assign(cover=("site", codes)), features=["cover"])


def test_types_are_compared_without_case(tmp_path, data):
    other = new(data).assign(igbp=("site", np.array(["dbf", "Enf "] * 10)), koeppen=("site", np.array(["dfb", "CFA"] * 10)))
    found = sources(tmp_path, data, other)[1].data
    assert set(found["pft"].values) == {"DBF", "ENF"}
    assert set(found["climate"].values) == {"C", "D"}
    assert len(set(found["climate_class"].values)) == 2


def test_the_first_digit_of_a_code_is_no_class(tmp_path, data):
    found = sources(tmp_path, data.assign(koeppen=("site", np.array([14, 15] * 10))))[1].data
    assert found["climate"].values.tolist() == ["14", "15"] * 10


def test_features_of_a_bare_store_stand_in_the_order_of_their_names(tmp_path, data):
    features = sources(tmp_path, data)[1].features
    assert features == sorted(features)
    assert sources(tmp_path, data, features=["slope", "cover"])[1].features == ["slope", "cover"]


def test_sites_without_a_place_have_no_folds(tmp_path, data):
    config, found = sources(tmp_path, data.drop_vars("lon"))
    with pytest.raises(InputError, match="no coordinate 'lon'"):
        site_folds(config, found)
