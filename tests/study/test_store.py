import warnings

import numpy as np
import pytest
import xarray as xr
import zarr

from gridcal.errors import StudyError
from gridcal.study import store

CHUNKS = {"pixel": 4}


def cube(n=10, days=30):
    rng = np.random.default_rng(7)
    x = rng.normal(size=(days, n))
    x[:, 4:8] = np.nan  # one whole tile of masked pixels
    return xr.Dataset(
        {
            "gpp": (("time", "pixel"), x, {"units": "gC m-2 d-1"}),
            "eps_max": ("pixel", rng.normal(size=n)),
            "status": ("pixel", np.zeros(n, np.int8), {"flag_values": np.array([0, 1], np.int8)}),
            "use": ("pixel", np.arange(n) % 2 == 0),
            "igbp": ("pixel", np.array(["DBF", "evergreen needleleaf"] * (n // 2))),
            "total": ((), 3.5),
        },
        coords={
            "time": np.datetime64("2001-01-01", "ns") + np.arange(days) * np.timedelta64(1, "D"),
            "pixel": np.arange(100, 100 + n),
            "lat": ("pixel", np.linspace(30.0, 45.0, n)),
            "code": ("pixel", np.array([f"US-{i:02d}" for i in range(n)])),
        },
    )


def written(path, ds):
    ds = store.storable(ds)
    store.create(path, ds, CHUNKS)
    facts = {}
    for start in range(0, ds.sizes["pixel"], 4):
        region = {"pixel": slice(start, min(start + 4, ds.sizes["pixel"]))}
        facts[start] = region, store.write_region(path, ds.isel(region), region)
    return facts


def test_round_trip_without_a_warning(tmp_path):
    ds = cube()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        written(tmp_path / "a.zarr", ds)
        back = store.read(tmp_path / "a.zarr").load()
    assert back["gpp"].dtype == np.float32  # time series
    assert back["eps_max"].dtype == np.float64  # parameters keep every digit
    assert back["use"].dtype == bool
    np.testing.assert_array_equal(back["gpp"], ds["gpp"].astype(np.float32))
    for name in ("eps_max", "status", "use", "igbp", "total", "time", "pixel", "lat", "code"):
        np.testing.assert_array_equal(back[name].values, ds[name].values.astype(back[name].dtype))
    assert back["gpp"].attrs == {"units": "gC m-2 d-1"}
    assert back["igbp"].values[1] == "evergreen needleleaf"


def test_text_index_selects_by_name_and_survives_a_second_trip(tmp_path):
    ds = cube().swap_dims(pixel="code").rename(pixel="number", code="site")
    sites = store.storable(ds)
    for k in range(2):
        store.create(tmp_path / f"{k}.zarr", sites, {"site": 10})
        store.write_region(tmp_path / f"{k}.zarr", sites, {"site": slice(0, 10)})
        back = store.read(tmp_path / f"{k}.zarr")
        assert float(back["eps_max"].sel(site="US-03")) == float(ds["eps_max"][3])
        sites = store.storable(back.load())


def test_template_holds_no_values(tmp_path):
    store.create(tmp_path / "a.zarr", store.storable(cube()), CHUNKS)
    assert not list((tmp_path / "a.zarr" / "gpp").glob("c/**/*"))
    meta = zarr.open_group(str(tmp_path / "a.zarr"), mode="r", use_consolidated=False)["gpp"]
    assert meta.chunks == (30, 4)
    assert [type(c).__name__ for c in meta.metadata.codecs][-2:] == ["BloscCodec", "Crc32cCodec"]


def test_masked_tiles_are_written_too(tmp_path):
    written(tmp_path / "a.zarr", cube())
    assert (tmp_path / "a.zarr" / "gpp" / "c" / "0" / "1").is_file()


@pytest.mark.parametrize("region", [slice(2, 6), slice(0, 6), slice(4, 7)])
def test_region_that_cuts_a_chunk_is_refused(tmp_path, region):
    ds = store.storable(cube())
    store.create(tmp_path / "a.zarr", ds, CHUNKS)
    with pytest.raises(StudyError, match="cuts the store's chunks of 4"):
        store.write_region(tmp_path / "a.zarr", ds.isel(pixel=region), {"pixel": region})


def test_variable_without_the_tile_dimension_has_one_owner():
    ds = cube()
    assert "total" in store.owned(ds, {"pixel": slice(0, 4)})
    assert "total" not in store.owned(ds, {"pixel": slice(4, 8)})


@pytest.mark.parametrize("variable", ["gpp", "eps_max", "status", "use", "igbp", "total"])
def test_every_flipped_byte_is_found(tmp_path, variable):
    path = tmp_path / "a.zarr"
    ds = cube()
    region, facts = written(path, ds)[0]
    dims = {str(k): x.dims for k, x in ds.data_vars.items()}
    assert store.check_region(path, dims, region, facts, full=True) == {}
    file = path.joinpath(variable, "c", *{"gpp": ("0", "0"), "total": ()}.get(variable, ("0",)))
    good = file.read_bytes()
    only = {variable: facts[variable]}
    for k in range(0, len(good), max(len(good) // 25, 1)):
        bad = bytearray(good)
        bad[k] ^= 0x10
        file.write_bytes(bytes(bad))
        assert store.check_region(path, dims, region, only, full=True), f"byte {k} of {len(good)}"
    for length in (0, 1, len(good) // 2, len(good) - 1):
        file.write_bytes(good[:length])
        assert store.check_region(path, dims, region, only, full=False)
    file.unlink()
    assert store.check_region(path, dims, region, only, full=False) == {variable: "its chunk is missing"}
    file.write_bytes(good)
    assert store.check_region(path, dims, region, only, full=True) == {}


def test_swapped_chunks_are_found(tmp_path):
    path = tmp_path / "a.zarr"
    ds = cube().drop_vars("igbp")
    ds["gpp"] = ds["gpp"] * 0 + 1.0
    ds["gpp"][:, :4] = 2.0
    ds["gpp"][:, 4:8] = -2.0  # the same bytes but one: the compressed chunks have the same length
    facts = written(path, ds)
    one, two = path / "gpp" / "c" / "0" / "0", path / "gpp" / "c" / "0" / "1"
    a, b = one.read_bytes(), two.read_bytes()
    assert len(a) == len(b)
    one.write_bytes(b)
    two.write_bytes(a)
    dims = {str(k): x.dims for k, x in ds.data_vars.items()}
    region, fact = facts[0]
    assert store.check_region(path, dims, region, fact, full=True) == {"gpp": "its values differ from their checksum"}


def test_dates_belong_into_coordinates():
    ds = cube()
    ds["start"] = ("pixel", np.full(10, np.datetime64("2001-01-01", "ns")))
    with pytest.raises(StudyError, match=r"'start'.*coordinate"):
        store.storable(ds)


def test_digest_tells_type_shape_and_values_apart():
    a = np.arange(4, dtype=np.float32)
    digests = {store.digest(x) for x in (a, a.astype(np.float64), a.reshape(2, 2), a[::-1], a.astype(np.int32))}
    assert len(digests) == 5
    assert store.digest(np.array(["a", "bc"])) == store.digest(np.array(["a", "bc"], dtype=object))
    day = np.array(["2001-01-01"], dtype="M8[D]")
    assert store.digest(day) == store.digest(day.astype("M8[ns]"))


def test_variables_come_back_in_one_order_with_all_coordinates(tmp_path, monkeypatch):
    written(tmp_path / "a.zarr", cube().assign_coords(alone=("other", [1, 2])))
    found = []
    plain = xr.open_zarr
    for turn in (1, -1):

        def shuffled(*args, turn=turn, **options):
            ds = plain(*args, **options)
            return ds.drop_vars(list(ds.data_vars)).assign({n: ds[n] for n in list(ds.data_vars)[::turn]})

        monkeypatch.setattr(store.xr, "open_zarr", shuffled)
        found.append(store.read(tmp_path / "a.zarr"))
        assert list(found[-1].data_vars) == ["eps_max", "gpp", "igbp", "status", "total", "use"]
        assert "alone" in found[-1].coords
    xr.testing.assert_identical(found[0].load(), found[1].load())
