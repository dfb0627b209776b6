"""Classes are compared by what they mean, not by the type in which they are written."""

import numpy as np
import pytest
import xarray as xr

from gridcal.errors import InputError
from gridcal.extrapolation.features.encoder import FeatureEncoder
from gridcal.extrapolation.features.labels import class_labels

FLAGS = {"flag_values": [1, 4, 10], "flag_meanings": "ENF DBF GRA"}


def column(values, **attrs):
    return xr.Dataset({"igbp": ("site", np.asarray(values), attrs)})


def encoded(encoder, *places):
    return [encoder.transform(p).matrix.values.tolist() for p in places]


@pytest.mark.parametrize(
    "values",
    [
        np.array([4, 1], dtype=np.int8),
        np.array([4.0, 1.0], dtype=np.float32),
        np.array([4, 1], dtype=np.uint64),
        np.array([4, 1.0], dtype=object),
        np.array(["4", "1"]),
        np.array(["4.0", " 1 "], dtype=object),
        np.array([b"4", b"1"]),
    ],
    ids=lambda v: f"{v.dtype}",
)
def test_codes_of_any_type_are_the_same_classes(values):
    for trained in (np.array([1, 4, 1]), np.array(["1", "4", "1"]), np.array([1.0, 4.0, 1.0], dtype=object)):
        encoder = FeatureEncoder(categorical=["igbp"]).fit(column(trained))
        assert encoder.classes_["igbp"] == ("1", "4")
        assert encoded(encoder, column(values)) == [[[0.0, 1.0], [1.0, 0.0]]]


def test_yes_and_no_meet_in_any_type():
    encoder = FeatureEncoder(categorical=["igbp"]).fit(column(np.array([True, False])))
    assert encoded(encoder, column(["true", "False"]), column([1, 0])) == [[[0.0, 1.0], [1.0, 0.0]]] * 2


def test_long_codes_keep_their_digits():
    numbers = np.array([1234567, 1234568])  # both 1.23457e+06 with six digits
    assert class_labels(numbers).tolist() == ["1234567", "1234568"]
    encoder = FeatureEncoder(categorical=["igbp"]).fit(column(numbers))
    assert encoded(encoder, column(numbers.astype(str))) == [[[1.0, 0.0], [0.0, 1.0]]]


def test_leading_zeros_are_kept_and_may_be_left_out():
    encoder = FeatureEncoder().fit(column(["001", "010"]))
    assert encoder.classes_["igbp"] == ("001", "010")
    assert encoded(encoder, column([10, 1]), column(["10", "001"])) == [[[0.0, 1.0], [1.0, 0.0]]] * 2
    both = FeatureEncoder().fit(column(["001", "1", "2"]))  # two classes that one number could be: by their spelling
    assert encoded(both, column(["001", "1"]), column([1, 2])) == [[[1.0, 0, 0], [0, 1.0, 0]], [[0, 1.0, 0], [0, 0, 1.0]]]


def test_the_underscore_of_flag_meanings_is_a_blank():
    encoder = FeatureEncoder().fit(column(["Evergreen needleleaf", "Grassland"]))
    codes = column(np.array([2, 7], dtype=np.int8), flag_values=[2, 7], flag_meanings="grassland evergreen_needleleaf")
    assert encoded(encoder, codes) == [[[0.0, 1.0], [1.0, 0.0]]]


def test_na_is_a_class():
    encoder = FeatureEncoder().fit(column(["NA", "EU"]))
    assert encoder.classes_["igbp"] == ("EU", "NA")
    assert FeatureEncoder().fit(column(["NA", "EU"])).transform(column(["NA"])).n_missing.values.tolist() == [0]


def test_classes_that_can_never_meet_are_refused():
    names = FeatureEncoder().fit(column(["ENF", "DBF"]))
    with pytest.raises(InputError, match="'igbp' is numbers without flag_meanings here, but 'DBF', 'ENF' in training"):
        names.transform(column([1, 4]))
    with pytest.raises(InputError, match="'igbp' means 'water', 'ice' here, but 'DBF', 'ENF' in training"):
        names.transform(column([1, 4], flag_values=[1, 4], flag_meanings="water ice"))
    codes = FeatureEncoder(categorical=["igbp"]).fit(column([1, 4]))
    with pytest.raises(InputError, match="'igbp' means 'ENF', 'DBF', 'GRA' here, but '1', '4' in training"):
        codes.transform(column([1, 4], **FLAGS))
    fitted_again = FeatureEncoder().fit(column([1, 4], **FLAGS))  # the repair
    assert encoded(fitted_again, column([1, 4], **FLAGS), column(["ENF", "DBF"])) == [[[0.0, 1.0], [1.0, 0.0]]] * 2
    plain = FeatureEncoder().fit(xr.Dataset({"cover": ("site", [1, 4, 10])}))
    place = xr.Dataset({"cover": ("site", [1, 4, 10], FLAGS)})
    with pytest.raises(InputError, match=r"'cover' is a class here .*Fit again with categorical=\['cover'\]"):
        plain.transform(place)
