import numpy as np
import pytest
import xarray as xr

from gridcal.errors import InputError
from gridcal.extrapolation.features.encoder import FeatureEncoder


def table(**columns):
    return xr.Dataset({k: ("site", np.asarray(v)) for k, v in columns.items()})


def test_continuous_features_get_training_mean_0_and_deviation_1():
    x = np.random.default_rng(0).gamma(2.0, 3.0, 200)
    z = FeatureEncoder().fit(table(bio1=x)).transform(table(bio1=x)).matrix.values[:, 0]
    assert abs(z.mean()) < 1e-12
    assert abs(z.std() - 1.0) < 1e-12


def test_nothing_is_learnt_from_data_that_are_only_transformed():
    encoder = FeatureEncoder().fit(table(bio1=[1.0, 3.0], igbp=["ENF", "DBF"]))
    before = encoder.to_dict()
    found = encoder.transform(table(bio1=[1e6, 2.0], igbp=["WET", "ENF"]))
    assert encoder.to_dict() == before
    np.testing.assert_array_equal(found.matrix.values, [[1e6 - 2.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def test_an_unseen_class_is_all_zero_and_flagged_not_missing():
    encoder = FeatureEncoder().fit(table(bio1=[0.0, 1.0], igbp=["ENF", "DBF"]))
    found = encoder.transform(table(bio1=[0.0, 0.0, 0.0], igbp=["GRA", "", "ENF"]))
    np.testing.assert_array_equal(found.matrix.values[:, 1:].sum(axis=1), [0, 0, 1])
    np.testing.assert_array_equal(found.n_unseen, [1, 0, 0])
    np.testing.assert_array_equal(found.n_missing, [0, 1, 0])


def test_missing_numbers_become_the_mean_and_are_counted():
    encoder = FeatureEncoder().fit(table(a=[1.0, 3.0, np.nan], b=[0.0, 1.0, 2.0]))
    found = encoder.transform(table(a=[np.nan, np.inf, 2.0], b=[np.nan, 1.0, 1.0]))
    np.testing.assert_array_equal(found.n_missing, [2, 1, 0])
    np.testing.assert_allclose(found.matrix.sel(column="a"), [0.0, 0.0, 0.0])
    assert found.n_missing.dtype == np.int8


def test_sparse_and_constant_columns_are_dropped_and_listed():
    nan = np.nan
    encoder = FeatureEncoder().fit(
        table(
            keep=[1.0, 2, 3, 4, 5],
            edge=[nan, nan, 1, 2, 3],
            sparse=[nan, nan, nan, 1, 2],
            flat=[7.0] * 5,
            one=["A"] * 5,
        )
    )
    assert encoder.inputs_ == ("edge", "keep")  # exactly 40 % missing stays
    assert "60 %" in encoder.dropped_["sparse"]
    assert "constant" in encoder.dropped_["flat"]
    assert "one class" in encoder.dropped_["one"]


def test_a_constant_that_is_no_round_number_is_still_constant():
    assert "flat" in FeatureEncoder().fit(table(a=[1.0, 2.0, 3.0], flat=[0.1, 0.1, 0.1])).dropped_


@pytest.mark.parametrize("name", ["lat", "lon", "gpp_mean", "bess_gpp", "ndep_dist_km", "n_lue"])
def test_position_and_what_is_made_from_gpp_is_used_only_when_named(name):
    data = table(**{"bio1": [1.0, 2.0, 3.0], name: [3.0, 1.0, 2.0]})
    assert FeatureEncoder().fit(data).inputs_ == ("bio1",)
    assert FeatureEncoder(features=["bio1", name]).fit(data).inputs_ == ("bio1", name)


def test_class_names_are_stripped_and_compared_without_case():
    encoder = FeatureEncoder().fit(table(koeppen=["Dfb", " dfb", "BSk"]))
    assert encoder.classes_["koeppen"] == ("BSk", "Dfb")
    np.testing.assert_array_equal(encoder.transform(table(koeppen=["DFB "])).matrix.values, [[0.0, 1.0]])


def test_a_map_of_cf_codes_goes_with_a_table_of_names():
    encoder = FeatureEncoder().fit(table(igbp=["ENF", "DBF", "GRA"]))
    codes = xr.DataArray(np.array([[1, 4], [10, 9]], dtype=np.int8), dims=("lat", "lon"))
    codes.attrs = {"flag_values": [1, 4, 9, 10], "flag_meanings": "ENF DBF SAV GRA"}
    found = encoder.transform(xr.Dataset({"igbp": codes}))
    assert found.matrix.dims == ("lat", "lon", "column")
    assert [str(found.column.values[k]) for k in found.matrix.values.reshape(4, 3)[:3].argmax(axis=1)] == [
        "igbp=ENF", "igbp=DBF", "igbp=GRA",
    ]  # fmt: skip
    np.testing.assert_array_equal(found.n_unseen, [[0, 0], [0, 1]])


def test_declared_integer_classes_and_float_codes_with_gaps():
    encoder = FeatureEncoder(categorical=["biome"]).fit(table(biome=[1, 2, 2, 5]))
    assert encoder.names_out_ == ("biome=1", "biome=2", "biome=5")
    found = encoder.transform(table(biome=[5.0, np.nan, 3.0]))
    np.testing.assert_array_equal(found.matrix.values, [[0, 0, 1], [0, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(found.n_missing, [0, 1, 0])
    np.testing.assert_array_equal(found.n_unseen, [0, 0, 1])


def test_round_trip_through_plain_json():
    import json

    data = table(a=[0.1, 0.2, 0.7], igbp=["ENF", "DBF", "ENF"])
    encoder = FeatureEncoder().fit(data)
    again = FeatureEncoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
    np.testing.assert_array_equal(again.transform(data).matrix, encoder.transform(data).matrix)
    assert again.names_out_ == encoder.names_out_


def test_errors_name_the_feature():
    data = table(a=[1.0, 2.0], b=[2.0, 1.0])
    with pytest.raises(InputError, match="'soil'"):
        FeatureEncoder(features=["soil"]).fit(data)
    with pytest.raises(InputError, match="'b'"):
        FeatureEncoder().fit(data).transform(data[["a"]])
    with pytest.raises(InputError, match=r"no feature is left.*constant"):
        FeatureEncoder().fit(table(a=[1.0, 1.0]))
    with pytest.raises(InputError, match="'tas' varies in time"):
        FeatureEncoder(features=["tas"]).fit(xr.Dataset({"tas": (("time", "site"), np.zeros((3, 2)))}))
    with pytest.raises(InputError, match=r"'a' is .*but was a number"):
        FeatureEncoder().fit(data).transform(table(a=["x", "y"], b=[1.0, 2.0]))


def test_series_are_left_out_and_listed():
    data = table(a=[1.0, 2.0]).assign(tas=(("time", "site"), np.zeros((3, 2))))
    assert FeatureEncoder().fit(data).dropped_ == {"tas": "varies in time"}


def test_numbers_are_read_in_the_units_of_training():
    train = xr.Dataset({"mat": ("site", [10.0, 20.0], {"units": "degC"}), "mat_sd": ("site", [1.0, 3.0], {"units": "degC"})})
    encoder = FeatureEncoder.from_dict(FeatureEncoder().fit(train).to_dict())
    assert encoder.units_ == {"mat": "degC", "mat_sd": "degC"}
    place = xr.Dataset(
        {"mat": ("site", np.array([288.15], dtype=np.float32), {"units": "K"}), "mat_sd": ("site", [2.0], {"units": "K"})}
    )
    found = encoder.transform(place).matrix.values
    np.testing.assert_allclose(found, [[0.0, 0.0]], atol=1e-5)  # 288.15 K is 15 degC; a deviation of 2 K one of 2 degC


def test_cf_says_that_temperatures_are_differences():
    train = xr.Dataset({"span": ("site", [10.0, 20.0], {"units": "degC"})})
    place = xr.Dataset({"span": ("site", [15.0], {"units": "K", "units_metadata": "temperature: difference"})})
    np.testing.assert_allclose(FeatureEncoder().fit(train).transform(place).matrix.values, [[0.0]], atol=1e-12)


def test_longitudes_as_a_feature_are_on_one_turn():
    encoder = FeatureEncoder(features=["lon"]).fit(table(lon=[-72.0, 10.0, 128.0]))
    np.testing.assert_allclose(
        encoder.transform(table(lon=[288.0, 370.0, -232.0])).matrix, encoder.transform(table(lon=[-72.0, 10.0, 128.0])).matrix
    )
    other = FeatureEncoder(features=["lon"]).fit(table(lon=[288.0, 10.0, 128.0]))
    assert other.mean_ == encoder.mean_


def test_messages_name_what_there_is_in_one_order():
    for order in (["b", "a", "c"], ["c", "b", "a"]):
        data = table(a=[1.0, 2.0], b=[2.0, 1.0], c=[0.0, 1.0])[order]
        with pytest.raises(InputError, match="Name some of: a, b, c"):
            FeatureEncoder(features=["soil"]).fit(data)
        encoder = FeatureEncoder().fit(data)
        assert list(encoder.mean_) == ["a", "b", "c"]


def test_an_older_encoder_without_units_asks_for_none():
    document = FeatureEncoder().fit(table(mat=[10.0, 20.0])).to_dict()
    del document["units"]
    encoder = FeatureEncoder.from_dict(FeatureEncoder.from_dict(document).to_dict())
    place = xr.Dataset({"mat": ("site", [15.0], {"units": "degC"})})
    assert encoder.transform(place).matrix.values.tolist() == [[0.0]]


def test_numbers_as_objects_are_no_classes():
    data = table(mat=np.array([1.5, 2.5, None], dtype=object))
    with pytest.raises(InputError, match="'mat' holds numbers as objects"):
        FeatureEncoder().fit(data)
    ds = data
    ds["mat"] = ds["mat"].astype(float)  # the repair
    assert FeatureEncoder().fit(ds).continuous_ == ("mat",)
    assert FeatureEncoder(categorical=["mat"]).fit(data).categorical_ == ("mat",)
