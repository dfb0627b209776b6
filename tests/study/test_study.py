import dataclasses
import enum
import errno

import dask.array as da
import numpy as np
import pytest
import xarray as xr

import gridcal as gc
from gridcal.errors import ConfigError, StudyError
from gridcal.study.folder import Study
from gridcal.vocabulary.fingerprint import differences, fingerprint, marks

CALLS = []


def work(block):
    CALLS.append(float(block.flat[0]))
    return block * 2.0


def lazy(n=12, chunk=3, mark="f1", function=work):
    base = da.from_array(np.arange(n, dtype=np.float64), chunks=chunk)
    return xr.Dataset(
        {
            "eps_max": ("pixel", base.map_blocks(function, dtype=np.float64, meta=np.empty(0))),
            "status": ("pixel", da.from_array(np.arange(n, dtype=np.int8) % 2, chunks=chunk),
                       {"flag_values": np.array([0, 1], np.int8), "flag_meanings": "ok masked"}),
        },
        coords={"pixel": np.arange(n), "lat": ("pixel", np.linspace(30.0, 40.0, n))},
        attrs={"fingerprint": mark, "model": "lue"},
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    monkeypatch.setenv("GRIDCAL_PROGRESS", "0")
    CALLS.clear()


def test_saves_tiles_and_opens_them(tmp_path):
    study = Study(tmp_path / "s")
    out = study.save("posterior", lazy())
    assert len(CALLS) == 4
    assert out.chunksizes["pixel"] == (3, 3, 3, 3)
    np.testing.assert_array_equal(out["eps_max"], 2.0 * np.arange(12))
    assert out.attrs["model"] == "lue"
    assert out.attrs["fingerprint"] == "f1"
    row = study.status()["posterior"]
    assert (row["done"], row["total"], row["complete"]) == (4, 4, True)
    assert row["status_counts"] == {"masked": 6, "ok": 6}
    assert study.verify() == []
    assert study.stages() == ["posterior"]
    assert "posterior" in repr(study)


def test_a_finished_stage_is_not_computed_again(tmp_path):
    Study(tmp_path / "s", {"seed": 1}).save("x", lazy())
    CALLS.clear()
    out = Study(tmp_path / "s", {"seed": 1}).save("x", lazy())
    assert CALLS == []
    np.testing.assert_array_equal(out["eps_max"], 2.0 * np.arange(12))


def test_other_configuration_is_refused_with_its_keys(tmp_path):
    Study(tmp_path / "s", {"seed": 1, "model": {"name": "lue"}, "x": 0.5})
    Study(tmp_path / "s")
    Study(tmp_path / "s", {"seed": 1, "model": {"name": "lue"}, "x": np.float64(0.5)})
    with pytest.raises(StudyError, match=r"seed: 1 -> 2") as caught:
        Study(tmp_path / "s", {"seed": 2, "model": {"name": "dalec"}, "x": 0.5})
    assert "model.name: lue -> dalec" in str(caught.value)
    assert "x:" not in str(caught.value)


def test_fresh_deletes_a_study_and_nothing_else(tmp_path):
    old = Study(tmp_path / "s", {"seed": 1})
    old.save("x", lazy())
    new = Study(tmp_path / "s", {"seed": 2}, fresh=True)
    assert new.stages() == []
    assert [p.name for p in (tmp_path / "s").iterdir()] == ["study.json"]
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"x")
    with pytest.raises(StudyError, match="is no study"):
        Study(tmp_path / "photos", fresh=True)
    assert (tmp_path / "photos" / "a.jpg").exists()


def test_stage_made_from_something_else_is_refused(tmp_path):
    study = Study(tmp_path / "s")
    study.save("x", lazy())
    with pytest.raises(StudyError, match=r"fingerprint: f1 -> f2.*Delete the stage"):
        study.save("x", lazy(mark="f2"))
    with pytest.raises(StudyError, match=r"chunks\.pixel: 3 -> 4"):
        study.save("x", lazy(chunk=4))
    with pytest.raises(StudyError, match=r"coordinates\.pixel"):
        study.save("x", lazy().assign_coords(pixel=np.arange(12) + 1))
    study.save("y", lazy(), fingerprint={"seed": 1, "model": "lue"})
    with pytest.raises(StudyError, match="seed: 1 -> 2"):
        study.save("y", lazy(), fingerprint={"seed": 2, "model": "lue"})


def test_what_changed_is_named_where_a_result_says_what_it_was_made_from(tmp_path):
    study = Study(tmp_path / "s")
    first = lazy()
    first.attrs |= marks({"seed": 1, "cube": {"tas": "abc"}, "pixel": list(range(1000))})
    study.save("x", first)
    assert "made_from" not in study.open("x").attrs
    second = lazy().assign_attrs(marks({"seed": 1, "cube": {"tas": "xyz"}, "pixel": list(range(999))}))
    with pytest.raises(StudyError, match=r"changed: cube\.tas: abc -> xyz; pixel: 1000 values \w+ -> 999 values \w+\. Delete"):
        study.save("x", second)
    assert "made_from" in second.attrs  # the caller's own is not touched


def test_differences_go_into_lists_of_one_length():
    old = {"blocks": [{"fit": ["a"], "edc": None}, {"fit": ["b"]}], "period": ["2001", "2002"], "pair": [[1, 2], [3, 4]]}
    new = {"blocks": [{"fit": ["a"], "edc": "reject"}, {"fit": ["c"]}], "period": ["2001", "2003"], "pair": [[1, 2], [3, 5]]}
    assert differences(old, new) == [
        "blocks.0.edc: None -> reject",
        "blocks.1.fit: ['b'] -> ['c']",
        "pair.1: [3, 4] -> [3, 5]",
        "period: ['2001', '2002'] -> ['2001', '2003']",
    ]
    assert differences(old, old) == []
    names = [f"parameter_{k}" for k in range(12)]
    assert differences(names, [*names[:10], "eps_max", names[11]], "fit") == ["fit.10: parameter_10 -> eps_max"]
    assert differences({"a": [{"x": 1}]}, {"a": [{"x": 1}, {"x": 2}]}) == ["a: [{'x': 1}] -> [{'x': 1}, {'x': 2}]"]


def test_a_block_in_a_study_names_what_changed_within_it(tmp_path):
    first = lazy().assign_attrs(marks({"blocks": (gc.Block(("Topt",), gc.Target("gpp", every="8-day")),)}))
    study = Study(tmp_path / "s")
    study.save("x", first)
    second = lazy().assign_attrs(marks({"blocks": (gc.Block(("Topt",), gc.Target("gpp", every="monthly"), edc="reject"),)}))
    with pytest.raises(StudyError, match=r"changed: blocks\.0\.edc: None -> reject; blocks\.0\.to\.every: 8-day -> monthly\."):
        study.save("x", second)


def test_a_simulation_in_a_study_names_the_data_that_changed(tmp_path):
    data = gc.synthetic.twin(2, 2, years=1).cube.data.compute().assign_attrs(fingerprint="")
    cube = gc.Cube.from_dataset(data)
    study = Study(tmp_path / "s")
    study.save("gpp", gc.simulate(cube, gc.models.model_named("lue"), outputs=["gpp"]))
    warmer = gc.Cube.from_dataset(data.assign(tas=(data.tas + 1).assign_attrs(data.tas.attrs)))
    with pytest.raises(StudyError, match=r"changed: cube\.tas: \w+ -> \w+"):
        study.save("gpp", gc.simulate(warmer, gc.models.model_named("lue"), outputs=["gpp"]))


@pytest.mark.parametrize("verb", ["simulate", "calibrate", "screen", "spin_up", "steady_state"])
def test_another_mask_is_told_and_does_not_give_the_old_values(tmp_path, verb):
    cube = gc.synthetic.twin(2, 2, years=1).cube
    data = cube.sel(pixel=gc.sample_pixels(cube, 3, seed=1)).data.compute().drop_vars("mask", errors="ignore")
    model = gc.models.model_named("lue")
    if verb == "steady_state":
        model = gc.models.model_named("dalec")
        low, high = ((data["tas"] + x).assign_attrs(units="degC") for x in (-5.0, 5.0))
        data = data.assign(tasmin=low, tasmax=high, rsds=(data["tas"] * 0.0 + 150.0).assign_attrs(units="W m-2"))
    block = gc.Block(("eps_max",), gc.Target("gpp"))
    run = {
        "simulate": lambda c: gc.simulate(c, model),
        "calibrate": lambda c: gc.calibrate(c, model, [block], gc.CMAES(max_evaluations=20)),
        "screen": lambda c: gc.screen(c, model, gc.Morris(trajectories=4)),
        "spin_up": lambda c: gc.spin_up(c, model, years=1),
        "steady_state": lambda c: gc.steady_state(c, model, max_years=5),
    }[verb]
    cube = gc.Cube.from_dataset(data)
    part = cube.with_mask(xr.DataArray([True, False, True], dims="pixel", coords={"pixel": data.pixel}))
    whole = cube.with_mask(xr.DataArray([True, True, True], dims="pixel", coords={"pixel": data.pixel}))
    assert "mask" not in run(cube).attrs["made_from"]
    study = Study(tmp_path / "s")
    study.save("x", run(whole))
    study.save("x", run(whole))
    with pytest.raises(StudyError, match=r"changed: mask: \w+ -> \w+\. Delete"):
        study.save("x", run(part))
    first = model.parameters.names[0]
    changed = [dataclasses.replace(p, default=0.5 * (p.default + p.upper)) if p.name == first else p for p in model.parameters]
    model = model.with_parameters(type(model.parameters)(tuple(changed)))
    with pytest.raises(StudyError, match=r"changed: (defaults|parameters)\."):
        study.save("x", run(whole))


def test_failed_tile_is_named_and_the_others_finish(tmp_path):
    def poison(block):
        if 3.0 in block:
            raise ValueError("matrix is singular")
        return work(block)

    study = Study(tmp_path / "s")
    with pytest.raises(StudyError, match=r"1 of 4 tiles failed; tile 0001 with ValueError: matrix is singular"):
        study.save("x", lazy(function=poison))
    row = study.status()["x"]
    assert (row["done"], row["complete"]) == (3, False)
    assert row["failures"] == {"0001": "ValueError: matrix is singular"}
    assert (tmp_path / "s" / "x.ledger" / "failures" / "0001.json").read_text().count("singular") >= 2
    with pytest.raises(StudyError, match="not finished"):
        study.open("x")
    part = study.open("x", allow_incomplete=True)["eps_max"].values
    assert np.isnan(part[3:6]).all()
    assert np.isfinite(np.delete(part, [3, 4, 5])).all()
    CALLS.clear()
    study.save("x", lazy())
    assert CALLS == [3.0]
    assert study.status()["x"]["failures"] == {}
    assert study._lock.held == 0


def test_damage_is_found_and_repaired(tmp_path):
    study = Study(tmp_path / "s")
    study.save("x", lazy())
    chunks = tmp_path / "s" / "x.zarr" / "eps_max" / "c"
    raw = bytearray((chunks / "1").read_bytes())
    raw[-6] ^= 1
    (chunks / "1").write_bytes(bytes(raw))
    (chunks / "2").unlink()
    (tmp_path / "s" / "x.ledger" / "tiles" / "0003.json").write_text("{")
    found = study.verify(repair=True)
    assert sorted(line.split()[1].rstrip(":") for line in found) == ["0001", "0002", "0003"]
    CALLS.clear()
    out = study.save("x", lazy())
    assert CALLS == [3.0, 6.0, 9.0]
    np.testing.assert_array_equal(out["eps_max"], 2.0 * np.arange(12))
    assert study.verify() == []


def test_damaged_coordinate_is_found(tmp_path):
    study = Study(tmp_path / "s")
    study.save("x", lazy())
    file = tmp_path / "s" / "x.zarr" / "lat" / "c" / "0"
    raw = bytearray(file.read_bytes())
    raw[20] ^= 1
    file.write_bytes(bytes(raw))
    assert len(study.verify()) == 1


def test_resume_looks_at_the_files_of_recorded_tiles(tmp_path):
    study = Study(tmp_path / "s")
    study.save("x", lazy())
    (tmp_path / "s" / "x.ledger" / "COMPLETE").unlink()
    (tmp_path / "s" / "x.zarr" / "eps_max" / "c" / "1").write_bytes(b"")  # a power cut before the data reached the disk
    CALLS.clear()
    study.save("x", lazy())
    assert CALLS == [3.0]


def test_full_disk_stops_at_once(tmp_path):
    def full(block):
        CALLS.append(1)
        raise OSError(errno.ENOSPC, "No space left on device")

    study = Study(tmp_path / "s")
    with pytest.raises(StudyError, match=r"full.*tile 0000.*Free some space"):
        study.save("x", lazy(function=full))
    assert len(CALLS) == 1
    CALLS.clear()
    study.save("x", lazy())
    assert len(CALLS) == 4


def test_interrupt_leaves_finished_tiles_and_no_lock(tmp_path):
    def interrupt(block):
        if 6.0 in block:
            raise KeyboardInterrupt
        return work(block)

    study = Study(tmp_path / "s")
    with pytest.raises(KeyboardInterrupt):
        study.save("x", lazy(function=interrupt))
    assert not (tmp_path / "s" / "lock.json").exists()
    assert study.status()["x"]["done"] == 2
    CALLS.clear()
    study.save("x", lazy())
    assert CALLS == [6.0, 9.0]


def test_second_driver_is_refused(tmp_path):
    study, other = Study(tmp_path / "s"), Study(tmp_path / "s")
    with study._lock, pytest.raises(StudyError, match="in use by process"):
        other.save("x", lazy())


def test_tables_without_space_are_one_tile(tmp_path):
    skill = xr.Dataset(
        {"nse": (("run", "scale"), np.arange(4.0).reshape(2, 2)), "n": ((), 7)},
        coords={"run": ["default", "calibrated"], "scale": ["daily", "8-day"]},
    )
    out = Study(tmp_path / "s").save("skill", skill)
    assert float(out["nse"].sel(run="calibrated", scale="daily")) == 2.0
    assert int(out["n"]) == 7


def test_grid_with_variables_of_fewer_dimensions(tmp_path):
    ds = xr.Dataset(
        {
            "gpp": (("time", "lat", "lon"), np.arange(60.0).reshape(2, 5, 6)),
            "area": ("lat", np.arange(5.0)),
            "days": ("time", np.array([8, 8])),
        },
        coords={"lat": np.arange(5.0), "lon": np.arange(6.0), "time": np.array(["2001-01-01", "2001-01-09"], "M8[ns]")},
    ).chunk(lat=2, lon=4)
    study = Study(tmp_path / "s")
    out = study.save("fluxes", ds)
    xr.testing.assert_equal(out.load(), ds.compute().assign(gpp=ds["gpp"].astype(np.float32).compute()))
    assert study.verify() == []
    study2 = Study(tmp_path / "t")
    assert study2.save("again", study.open("fluxes"))["gpp"].chunksizes["lon"] == (4, 2)


def test_records(tmp_path):
    study = Study(tmp_path / "s")
    study.record("headline", {"nse": np.float32(0.5), "by": {"DBF": np.array([1, 2])}, "t": (1, "x")})
    assert study.read_record("headline") == {"nse": 0.5, "by": {"DBF": [1, 2]}, "t": [1, "x"]}
    assert study.read_record("nothing") is None
    for name in ("../x", "a/b", "", ".hidden"):
        with pytest.raises(StudyError, match="cannot name"):
            study.record(name, {})


def test_unknown_and_newer(tmp_path):
    study = Study(tmp_path / "s")
    with pytest.raises(StudyError, match=r"no stage 'x'.*none"):
        study.open("x")
    file = tmp_path / "s" / "study.json"
    file.write_text(file.read_text().replace('"schema": 2', '"schema": 99'))
    with pytest.raises(StudyError, match="newer gridcal"):
        Study(tmp_path / "s")
    file.write_text("{")
    with pytest.raises(StudyError, match="damaged"):
        Study(tmp_path / "s")


class Kind(enum.Enum):
    A = "a"


@dataclasses.dataclass(frozen=True)
class One:
    x: float = 1.0


@dataclasses.dataclass(frozen=True)
class Two:
    x: float = 1.0


def test_fingerprints():
    assert fingerprint({"b": 1, "a": [1.0, np.float64(2)]}) == fingerprint({"a": (1.0, 2.0), "b": np.int64(1)})
    assert fingerprint(Kind.A) == fingerprint("a")
    assert fingerprint(np.array([0.1, np.nan])) == fingerprint([0.1, float("nan")])
    assert fingerprint(One()) != fingerprint(Two())
    assert fingerprint(0.1) != fingerprint(np.nextafter(0.1, 1))
    assert fingerprint({1, 2, 3}) == fingerprint({3, 2, 1})
    assert fingerprint(np.array(["2001-01-01"], "M8[D]")) == fingerprint(["2001-01-01"])
    assert fingerprint(fingerprint) == fingerprint("gridcal.vocabulary.fingerprint.fingerprint")
    with pytest.raises(ConfigError, match="no lasting form"):
        fingerprint(object())
    # sha256 of the three bytes of the JSON text "a"
    assert fingerprint("a") == "ac8d8342bbb2362d13f0a559a3621bb407011368895164b628a54f7fc33fc43c"
    assert differences({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "d": 2}}) == ["a.c: 2 -> absent", "a.d: absent -> 2"]
    assert differences([1.5], (1.5,)) == []
