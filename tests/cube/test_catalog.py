import os

import numpy as np
import pytest
import xarray as xr
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridcal.cube import RangeWarning, check_ranges, open_cube
from gridcal.cube.catalog import (
    CatalogEntry,
    catalog_folder,
    check_entry,
    data_path,
    describe,
    list_entries,
    load_entry,
)
from gridcal.errors import CatalogError
from gridcal.vocabulary.units import normalise

ENTRY = {
    "title": "a tower",
    "kind": "sites",
    "format": "netcdf",
    "location": "x/tower.nc",
    "variables": {"tas": {"native": "TA", "units": "K"}},
    "licence": "CC0-1.0",
    "citation": "nobody",
}


def write(folder, text=None, **changes):
    path = folder / "tower.yml"
    document = {k: v for k, v in {**ENTRY, **changes}.items() if v is not None}
    path.write_text(yaml.safe_dump(document) if text is None else text)
    return path


def refused(path):
    with pytest.raises(CatalogError) as caught:
        load_entry(path)
    assert caught.value.repair
    return str(caught.value)


def test_an_entry_is_read(tmp_path):
    entry = load_entry(write(tmp_path))
    assert entry.id == "tower"
    assert entry.variables["tas"].native == "TA"
    assert describe(entry) == {"title": "a tower", "licence": "CC0-1.0", "citation": "nobody"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"licnce": "x"}, "unknown key 'licnce'. Did you mean 'licence'"),
        ({"variables": {"tas": {"unit": "K"}}}, "unknown key 'variables.tas.unit'. Did you mean 'units'"),
        ({"driver": "os.system"}, "unknown key 'driver'. Known keys: schema_version"),
        ({"licence": None}, "the key 'licence' is missing"),
        ({"variables": None}, "the key 'variables' is missing"),
        ({"kind": "cube"}, "kind: Input should be 'grid', 'sites'"),
        ({"format": "pickle"}, "format: Input should be"),
        ({"schema_version": 2}, "schema_version"),
        ({"variables": {"tas": {"units": "furlong"}}}, "variables.tas.units: unknown units 'furlong'"),
        ({"features": ["elv"]}, "feature 'elv' is not among the variables"),
        ({"index": "site"}, "index labels the rows of a csv"),
        ({"location": "../secret.nc"}, "leaves its folder"),
        ({"location": "a/../../secret.nc"}, "leaves its folder"),
        ({"location": "a\\..\\secret.nc"}, "leaves its folder"),
        ({"location": "{{ env(HOME) }}/x.nc"}, "holds a template"),
        ({"location": "$HOME/x.nc"}, "holds a template"),
        ({"location": "~/x.nc"}, "holds a template"),
        ({"location": "file:///etc/passwd"}, "scheme 'file'"),
    ],
)
def test_bad_entries_name_the_key(tmp_path, changes, says):
    assert says in refused(write(tmp_path, **changes))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- a\n- b\n", "holds no mapping"),
        ("id: [unclosed", "is not plain YAML"),
        ("id: !!python/object/apply:os.system ['true']\n", "is not plain YAML"),
        ("a: &x [1, 2]\nb: *x\n", "uses a YAML alias"),
        ("id: a\ntitle: b\ntitle: c\n", "gives the key 'title' twice"),
        ("variables:\n  tas: {units: K}\n  tas: {units: degC}\n", "gives the key 'tas' twice"),
        ("[" * 5000, "nested deeper than 20 levels"),
        ("a: [1, 2", "is not plain YAML"),
        ("", "holds no mapping"),
    ],
)
def test_files_that_are_no_entries(tmp_path, text, says):
    assert says in refused(write(tmp_path, text=text))


def test_large_and_binary_files(tmp_path):
    assert "larger than" in refused(write(tmp_path, text="a: " + "x" * 1_000_001))
    path = tmp_path / "tower.yml"
    path.write_bytes(b"\xff\xfe\x00")
    assert "is not plain YAML" in refused(path)
    assert "no catalog file" in refused(tmp_path / "none.yml")


def test_nothing_in_an_entry_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "s3cret")
    entry = load_entry(write(tmp_path, title="{{ env(SECRET) }} $SECRET"))
    assert entry.title == "{{ env(SECRET) }} $SECRET"


def test_where_data_lie(tmp_path, monkeypatch):
    entry = load_entry(write(tmp_path))
    monkeypatch.delenv("GRIDCAL_DATA", raising=False)
    with pytest.raises(CatalogError, match="Set the environment variable GRIDCAL_DATA"):
        data_path(entry)
    monkeypatch.setenv("GRIDCAL_DATA", str(tmp_path))
    with pytest.raises(CatalogError, match=r"tower\.nc.*the directory that holds 'x/tower\.nc'"):
        data_path(entry)
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "tower.nc").touch()
    assert data_path(entry) == str(tmp_path / "x" / "tower.nc")
    assert data_path(entry, tmp_path) == str(tmp_path / "x" / "tower.nc")
    beside = load_entry(write(tmp_path, location="./x/tower.nc"))
    monkeypatch.delenv("GRIDCAL_DATA")
    assert data_path(beside) == str(tmp_path / "x" / "tower.nc")
    remote = load_entry(write(tmp_path, location="s3://bucket/x.zarr", format="zarr"))
    assert data_path(remote) == "s3://bucket/x.zarr"


def test_the_entries_that_come_with_gridcal():
    names = list_entries()
    assert len(names) == 16
    assert (catalog_folder() / "flux-sites-daily.yml").is_file()
    for name in names:
        entry = load_entry(name)
        assert entry.id == name
        assert entry.licence
        assert entry.citation
        assert not entry.location.startswith(("/", "."))
        for spec in entry.variables.values():
            assert spec.units is None or normalise(spec.units)


def test_an_unknown_entry_is_answered_with_the_nearest():
    with pytest.raises(CatalogError, match="Did you mean eastus-static"):
        load_entry("eastus-statics")
    with pytest.raises(CatalogError, match="Known: co2-annual"):
        load_entry("qqq")


def tower(folder, **variables):
    days = np.datetime64("2001-01-01") + np.arange(3)
    ds = xr.Dataset({k: (("site", "time"), np.full((2, 3), 280.0, np.float32), a) for k, a in variables.items()})
    (folder / "x").mkdir(exist_ok=True)
    ds.assign_coords(time=days, site=["a", "b"]).to_netcdf(folder / "x" / "tower.nc", engine="netcdf4")


def test_check_reports_every_fault(tmp_path):
    tower(tmp_path, TA={}, P={"units": "mm"}, W={"units": "furlong"}, GPP={"units": "gC m-2 d-1"})
    variables = {
        "tas": {"native": "TA", "units": "K"},
        "pr": {"native": "P"},
        "x": {"native": "W"},
        "vpd": {},
        "gpp": {"native": "GPP"},
    }
    rows = check_entry(load_entry(write(tmp_path, variables=variables)), tmp_path)
    good = {what: ok for what, ok, _ in rows}
    assert good == {
        "location": True, "opens": True, "tas": True, "pr": False, "x": False, "vpd": False, "gpp": True,
        "dimensions": True, "time": True, "space": True,
    }  # fmt: skip
    said = {what: message for what, _, message in rows}
    assert said["tas"] == "degC"
    assert "a sum over a period is not a rate" in said["pr"].lower()
    assert "furlong" in said["x"]
    assert "no variable 'vpd'" in said["vpd"]


def test_check_without_data(tmp_path):
    (row,) = check_entry(load_entry(write(tmp_path)), tmp_path)
    assert row[:2] == ("location", False)


def test_check_finds_a_wrong_kind(tmp_path):
    tower(tmp_path, TA={})
    rows = check_entry(load_entry(write(tmp_path, kind="grid")), tmp_path)
    failed = [r for r in rows if not r[1]]
    assert failed[0][0] == "dimensions"
    assert "is of kind 'grid' but has no dimension 'lat'" in failed[0][2]


def test_entries_are_frozen():
    entry = CatalogEntry.model_validate({**ENTRY, "id": "t"})
    with pytest.raises(ValueError, match="frozen"):
        entry.title = "other"


@settings(max_examples=150, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(max_size=200), st.text(alphabet="[]{}&*!:-,'\"|>%@ \nabc", max_size=300)))
def test_any_text_is_an_entry_or_a_readable_error(tmp_path, text):
    path = tmp_path / "any.yml"
    path.write_text(text, encoding="utf-8")
    refused(path)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=5), x, max_size=3),
)


@settings(max_examples=150, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from([*ENTRY, "dims", "features", "index", "caveats", "doi"]), value=VALUES)
def test_any_value_is_accepted_or_named(tmp_path, key, value):
    path = tmp_path / "any.yml"
    path.write_text(yaml.safe_dump({**ENTRY, key: value}), encoding="utf-8")
    try:
        said = f"{load_entry(path).id}.yml"
    except CatalogError as error:
        said = str(error)
    assert "any.yml" in said


needs_data = pytest.mark.skipif("GRIDCAL_DATA" not in os.environ, reason="GRIDCAL_DATA is not set")


@pytest.mark.data
@needs_data
@pytest.mark.parametrize("name", list_entries())
def test_entries_agree_with_their_data(name):
    rows = check_entry(load_entry(name))
    assert [r for r in rows if not r[1]] == []


RARE = {"flux-sites-weekly": ("elv",)}  # one site stands at -2493 m in the source


@pytest.mark.data
@needs_data
@pytest.mark.parametrize("name", list_entries())
def test_values_lie_in_their_ranges(name, recwarn):
    cube = open_cube(name)
    check_ranges(cube)
    found = [str(w.message) for w in recwarn if issubclass(w.category, RangeWarning)]
    assert [text for text in found if not any(f"variable {v!r}" in text for v in RARE.get(name, ()))] == []


@pytest.mark.data
@needs_data
def test_every_data_file_has_an_entry():
    root = os.environ["GRIDCAL_DATA"]
    held = {
        os.path.relpath(os.path.join(folder, name), root)
        for folder, _, names in os.walk(root)
        for name in names
        if name.endswith((".nc", ".csv"))
    }
    assert held == {load_entry(n).location for n in list_entries()}


@pytest.mark.data
@needs_data
def test_traps_of_the_real_data():
    monthly = open_cube("fluxval-monthly")
    native = xr.open_dataset(data_path(load_entry("fluxval-monthly")))
    np.testing.assert_allclose(monthly["vpd"].isel(site=3), native["vpd"].isel(site=3) / 10, rtol=1e-6)  # hPa
    np.testing.assert_allclose(monthly["rsds"].isel(site=3), native["rsds"].isel(site=3) / 0.0864, rtol=1e-6)
    sites = open_cube("flux-sites-daily")
    assert sites["tas"].dims == ("time", "site")
    assert float(sites["clt"].max()) <= 1.0  # per cent in the file
    climatology = open_cube("eastus-climatology")
    assert float(climatology["whc_layer"].max()) == 135.0  # 999.9 is a fill value
    grid = open_cube("eastus-static")
    assert grid.data["lat"].values[0] > grid.data["lat"].values[-1]
    assert open_cube("drb-hru-daily").space_dims == ("pixel",)
    co2 = open_cube("co2-monthly")
    assert np.isnan(co2["sdev"].values[0])
    open_cube("flux-sites-daily").require_daily()
