"""A csv keeps what is written in it."""

import numpy as np
import pytest

from gridcal.cube import Cube
from gridcal.cube.formats import open_native
from gridcal.errors import CatalogError, InputError


def table(tmp_path, text, index=None, encoding="utf-8"):
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode(encoding))
    return open_native(str(path), index=index)


def test_na_is_a_text_among_texts_and_missing_among_numbers(tmp_path):
    ds = table(tmp_path, "site,region,whc,n\na,NA,100,3\nb,EU,NA,\nNA,,90,5\n")
    assert ds.site.values.tolist() == ["a", "b", "NA"]
    assert ds.region.values.tolist() == ["NA", "EU", ""]
    np.testing.assert_array_equal(ds.whc, [100.0, np.nan, 90.0])
    np.testing.assert_array_equal(ds.n, [3.0, np.nan, 5.0])


def test_codes_that_can_only_mean_missing_do(tmp_path):
    ds = table(tmp_path, "site,irrigation\n1,None\n2,nan\n3,NULL\n4,drip\n")
    assert ds.irrigation.values.tolist() == ["None", "", "", "drip"]


def test_whole_numbers_with_leading_zeros_are_texts(tmp_path):
    ds = table(tmp_path, "site,huc,x,y\n001,02040101,0,0.5\n010,13010001,10,-0.25\n")
    assert ds.site.values.tolist() == ["001", "010"]
    assert ds.huc.values.tolist() == ["02040101", "13010001"]
    assert ds.x.dtype == np.int64
    assert ds.y.values.tolist() == [0.5, -0.25]


def test_numbers_are_numbers(tmp_path):
    ds = table(tmp_path, "year,co2,many,flag\n1959,315.98,1e5,True\n1960,316.91,2e5,False\n")
    assert ds.year.values.tolist() == [1959, 1960]
    assert ds.co2.values.tolist() == [315.98, 316.91]
    assert ds.many.values.tolist() == [1e5, 2e5]
    assert ds.flag.dtype == bool


def test_labels_that_only_look_like_numbers_stay(tmp_path):
    assert table(tmp_path, "code,x\n1E5,1\n2E5,2\n").code.values.tolist() == ["1E5", "2E5"]
    long = "12345678901234567890"  # more digits than a float holds
    assert table(tmp_path, f"code,x\n{long},1\n{long[:-1]}1,2\n").code.values.tolist() == [long, long[:-1] + "1"]


def test_only_lines_that_start_with_a_number_sign_are_comments(tmp_path):
    ds = table(tmp_path, "# made by hand\nsite,name,x\na,Plot #3,4\n # and so on\nb,Plot #4,5\n")
    assert ds.name.values.tolist() == ["Plot #3", "Plot #4"]
    assert ds.x.values.tolist() == [4, 5]
    with pytest.raises(InputError, match=r"column 'x' of .* has comments behind its numbers"):
        table(tmp_path, "site,x\na,4 # guessed\nb,5\n")


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("site,x,x\na,1,2\n", InputError, "two columns called 'x'"),
        ("site,x\na,1\n,2\n", InputError, "column 'site' .* row 2 has none"),
        ("site,x\na,1\na,2\n", InputError, "holds 'a' twice"),
        ("site,x\na,1,2\nb,1,2\n", InputError, "cannot be read as a table"),
        ("", InputError, "cannot be read as a table"),
        ("site,x\na,1\n", CatalogError, "no column 'plot'"),
    ],
)
def test_tables_that_would_lose_something_are_refused(tmp_path, text, error, says):
    with pytest.raises(error, match=says):
        table(tmp_path, text, index="plot" if error is CatalogError else None)


def test_encodings(tmp_path):
    assert table(tmp_path, "site,name\na,Hyytiälä\n", encoding="utf-8-sig").name.values.tolist() == ["Hyytiälä"]
    with pytest.raises(InputError, match=r"not UTF-8 text .*Save it as UTF-8"):
        table(tmp_path, "site,name\na,Hyytiälä\n", encoding="latin-1")


@pytest.mark.parametrize("cell", ['"100,5"', "n.a.", "\N{MINUS SIGN}100", '"1,005"', "mm"])
@pytest.mark.parametrize(("name", "units"), [("whc", "mm"), ("depth_of_my_own", "m")])
def test_a_column_with_units_that_holds_text_is_refused(tmp_path, cell, name, units):
    ds = table(tmp_path, f"site,{name},mat\na,100.5,3\nb,{cell},4\n")
    ds[name].attrs["units"] = units
    with pytest.raises(
        InputError, match=f"'{name}' should be numbers in '{units}' and holds text, e.g. '{cell.strip(chr(34))}'"
    ):
        Cube.from_dataset(ds)


def test_a_text_without_units_or_a_class_of_the_vocabulary_stays(tmp_path):
    ds = table(tmp_path, "site,koeppen,note\na,Cfa,x\nb,Dfb,y\n")
    ds["note"].attrs["units"] = ""
    assert Cube.from_dataset(ds)["koeppen"].values.tolist() == ["Cfa", "Dfb"]
