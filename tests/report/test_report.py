"""The report: one page that loads nothing from outside, whatever the names in the study contain."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.figure import Figure

from gridcal.models.lue import lue
from gridcal.report.calibration import recovery
from gridcal.report.learning import learning
from gridcal.report.maps import maps, outside
from gridcal.report.page import CSS, cards, image, page, table
from gridcal.report.skill import skill as skill_section
from gridcal.study.folder import Study
from gridcal.workflow.jobs import write_report

EVIL = "<script>alert('x')</script>\"><img src=http://evil.example/x.png onerror=alert(1)>&amp;"
SITE = "<script>alert(1)</script>"
SITES = [SITE, "US-Ha1", "US-MMS", "US-UMB", "US-UMd", "US-Bar"]
SECTIONS = ["samples", "posteriors", "learning", "maps", "fluxes", "skill", "provenance"]
FITTED = ("eps_max", "Topt")


class Page(HTMLParser):
    """Everything a browser would act on."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.references, self.handlers, self.anchors, self.targets = [], [], [], [], []
        self.headings, self._in_heading = [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self._in_heading = tag == "h2"
        for name, value in attrs:
            if name in ("src", "href", "srcset", "data", "action", "poster", "background", "xlink:href"):
                (self.targets if value.startswith("#") else self.references).append(value)
            if name.startswith("on"):
                self.handlers.append(name)
            if name == "id":
                self.anchors.append(value)

    def handle_data(self, data):
        if self._in_heading:
            self.headings.append(data)
            self._in_heading = False


def assert_self_contained(text):
    found = Page(text)
    assert all(r.startswith("data:image/png;base64,") for r in found.references)
    assert not set(found.tags) & {"script", "link", "iframe", "object", "embed", "base", "form"}
    assert found.handlers == []
    style = "".join(re.findall(r"<style>(.*?)</style>", text, re.S))
    assert "url(" not in style
    assert "@import" not in style
    assert re.findall(r"https?://", re.sub(r"&[a-z]+;", "", style)) == []
    return found


def posterior():
    rng = np.random.default_rng(5)
    n = len(SITES)
    ds = xr.Dataset(coords={"site": SITES})
    status = np.array([0, 0, 0, 0, 3, 0], dtype=np.int8)
    meanings = "ok masked insufficient_observations constant_observation"
    ds["status"] = ("site", status, {"flag_meanings": meanings})
    for p in lue.parameters:
        attrs = {"units": p.units, "long_name": p.description}
        values = rng.uniform(p.lower, p.upper, n) if p.name in FITTED else np.full(n, p.default)
        ds[p.name] = ("site", np.where(status == 0, values, np.nan), attrs)
        if p.name in FITTED:
            ds[f"{p.name}_sd"] = ("site", np.where(status == 0, 0.05 * (p.upper - p.lower), np.nan), attrs)
            ds[f"{p.name}_edge_hit"] = ("site", np.where(status == 0, [0.5, 0, 0, 0, 0, 0.2], np.nan), {"units": "1"})
            ds[f"{p.name}_draws"] = (("site", "chain", "draw"), values[:, None, None] + rng.normal(0, 0.1, (n, 2, 30)), attrs)
    ds["nse"] = ("site", np.where(status == 0, 0.8, np.nan), {"units": "1"})
    ds["n_runs"] = (("site", "block"), np.where(status == 0, 72.0, np.nan)[:, None], {"units": "1"})
    ds.attrs = {"model": "lue", "fingerprint": "p"}
    return ds.assign_coords(lat=("site", 40.0 + np.arange(n)), lon=("site", -80.0 + np.arange(n)))


def theta():
    rng = np.random.default_rng(6)
    space = {"lat": 40 + 0.5 * np.arange(4), "lon": -80 + 0.5 * np.arange(5)}
    ds = xr.Dataset(coords=space)
    for p in lue.parameters:
        ds[p.name] = (("lat", "lon"), rng.uniform(p.lower, p.upper, (4, 5)), {"units": p.units, "long_name": p.description})
    ds["dissimilarity"] = (
        ("lat", "lon"),
        np.where(np.arange(20).reshape(4, 5) < 5, 0.45, 0.3),
        {"units": "1", "threshold": 0.4},
    )
    return ds.assign_attrs(fingerprint="t")


def skill():
    rng = np.random.default_rng(7)
    dims = ("run", "variable", "scale", "season", "period", "site")
    coords = {
        "run": ["default", "calibrated", "extrapolated"],
        "variable": ["gpp"],
        "scale": ["8-day"],
        "season": ["all", "growing season"],
        "period": ["calibration", "validation"],
        "site": SITES,
    }
    shape = [len(coords[d]) for d in dims]
    names = ("r", "r2", "rmse", "me", "mae", "nrmse", "nse", "kge", "diso", "n")
    units = {"rmse": "gC m-2 d-1", "me": "gC m-2 d-1", "mae": "gC m-2 d-1"}
    values = {k: (dims, rng.uniform(0, 1, shape), {"units": units.get(k, "1")}) for k in names}
    return xr.Dataset(values, coords=coords, attrs={"fingerprint": "s"})


def fluxes():
    time = pd.date_range("2015-01-01", periods=46, freq="8D")
    values = np.random.default_rng(8).uniform(0, 9, (46, 4, 5))
    ds = xr.Dataset({"gpp": (("time", "lat", "lon"), values, {"units": "gC m-2 d-1"})}, coords={"time": time})
    return ds.assign_coords(lat=40 + 0.5 * np.arange(4), lon=-80 + 0.5 * np.arange(5)).assign_attrs(fingerprint="f")


def learner():
    skills = xr.Dataset(
        {m: ("parameter", [0.81, 0.62]) for m in ("r", "r2", "nse", "rmse")}, coords={"parameter": list(FITTED)}
    )
    coords = {"parameter": list(FITTED), "feature": ["bio1", SITE]}
    shares = xr.Dataset({"importance": (("parameter", "feature"), [[0.7, 0.3], [0.4, 0.6]])}, coords=coords)
    return skills.assign_attrs(fingerprint="l"), shares.assign_attrs(fingerprint="i")


PROVENANCE = {
    "title": f"a study of {EVIL}",
    "gridcal": "0.0",
    "created": "2026-01-01T00:00:00+00:00",
    "python": "3.11",
    "platform": "Linux",
    "libraries": {"numpy": "2.0"},
    "model": {"name": "lue", "version": 1, "source": "Bao et al. 2023"},
    "seed": 1,
    "bounds": {n: [lue.parameters[n].lower, lue.parameters[n].upper] for n in FITTED},
    "inputs": [{"title": EVIL, "licence": "CC-BY", "citation": "https://doi.org/10.1029/2022MS003464"}],
    "config": "title: x\ndata: {kind: twin}\ncalibration: {blocks: [{fit: [eps_max, Topt], to: {variable: gpp}}]}\n# " + EVIL,
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    made = Study(tmp_path_factory.mktemp("report") / "hostile.study")
    skills, shares = learner()
    stages = {"posterior": posterior(), "parameters": theta(), "skill": skill(), "fluxes": fluxes()}
    for name, ds in (stages | {"learner_skill": skills, "importance": shares}).items():
        made.save(name, ds)
    made.record("provenance", PROVENANCE)
    made.record("caveats", [f"nothing is known of {EVIL}"])
    made.record("screen", {"training": 4, "samples": 6, "refused_status": 1, "refused_diso": 1})
    number = {"value": 12.3456, "units": EVIL, "text": EVIL}
    made.record("headline", {"error removed": number, "not known": number | {"value": float("nan")}})
    return made


@pytest.fixture(scope="module")
def text(study):
    return write_report(study).read_text(encoding="utf-8")


def test_nothing_is_loaded_from_outside_even_if_names_try(text):
    found = assert_self_contained(text)
    assert len([r for r in found.references if r.startswith("data:image/png")]) >= 8


def test_a_hostile_name_is_shown_and_not_run(text):
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;" in text
    assert "<script" not in text
    assert "<img src=http" not in text
    assert text.count("evil.example") >= 5  # title, heading, cards, caveat, inputs, configuration


def test_all_sections_are_there_and_reachable(text):
    found = Page(text)
    assert [a for a in found.anchors if a in SECTIONS] == SECTIONS
    assert found.targets == [f"#{s}" for s in SECTIONS]
    assert found.headings == ["Samples", "Posteriors", "Learning", "Parameter maps", "Fluxes", "Skill", "Provenance"]
    assert "not in this study" not in text


def test_a_column_that_stands_twice_counts_once():
    lon = np.array([0.0, 90.0, 180.0, 270.0, 360.0])
    values = xr.DataArray([[0.5, 0.1, 0.1, 0.1, 0.5]], dims=("lat", "lon"), coords={"lat": [0.0], "lon": lon})
    assert outside(values.assign_attrs(threshold=0.4)).startswith("25.0 % of the pixels")  # one of four, not two of five
    assert "no threshold" in outside(values)
    assert "no threshold" in outside(values.assign_attrs(threshold=np.inf))


def test_pixels_of_a_class_never_seen_stand_in_the_page():
    x = theta()
    x["n_unseen"] = (("lat", "lon"), (np.arange(20).reshape(4, 5) < 2).astype(np.int8))
    assert "10.0 % of the pixels have a class" in maps(x)  # 2 of 20


def test_every_picture_says_what_it_shows(text):
    pictures = re.findall(r"<img [^>]*>", text)
    assert all(re.search(r'alt="[^"]{10,}"', p) for p in pictures)


def test_numbers_of_the_study_stand_in_the_page(text):
    plain = re.sub(r"<[^>]+>", "|", text)
    assert "12.3" in plain
    assert re.search(r"constant_observation\|+1\b", plain)
    assert re.search(r"ok\|+5\b", plain)
    assert "Learnt from 4 of 6 samples" in plain
    assert "25.0 % of the pixels are less like the training samples" in plain  # 5 of 20 above the layer's own threshold
    assert "dissimilarity above 0.40" in plain
    assert "rmse (gC m-2 d-1)" in plain
    assert "made on 2026-01-01" in plain
    assert re.search(r"\|Topt\|+degC\|+5\|+35\|", plain)


def test_edge_hitting_is_a_share_of_the_calibrated_samples(text):
    plain = re.sub(r"(<[^>]+>)+", "|", text)
    # 2 of the 5 samples that were calibrated hit a bound
    assert re.search(r"\|Topt\|degC\|5\|35\|[^|]+\|[^|]+\|40\|", plain)


def test_title_and_path_can_be_chosen(tmp_path_factory, tmp_path):
    study = Study(tmp_path_factory.mktemp("title") / "x.study")
    path = write_report(study, tmp_path / "other.html", title="<b>mine</b>")
    assert path == tmp_path / "other.html"
    assert "<title>&lt;b&gt;mine&lt;/b&gt;</title>" in path.read_text(encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["other.html"]  # nothing half-written is left


def test_an_empty_study_says_what_is_absent_in_every_section(tmp_path):
    text = write_report(Study(tmp_path / "empty.study")).read_text(encoding="utf-8")
    found = assert_self_contained(text)
    assert [a for a in found.anchors if a in SECTIONS] == SECTIONS
    assert text.count("not in this study") == len(SECTIONS)


def test_a_planted_truth_adds_its_section(tmp_path):
    study = Study(tmp_path / "twin.study")
    truth = theta().drop_vars("dissimilarity")
    at = posterior().rename(site="pixel").drop_vars(["lat", "lon"]).assign_coords(pixel=np.arange(6))
    at = at.assign_coords(lat=("pixel", truth["lat"].values[[0, 1, 2, 3, 0, 1]]), lon=("pixel", truth["lon"].values[[0] * 6]))
    study.save("posterior", at)
    study.save("truth", truth)
    text = write_report(study).read_text(encoding="utf-8")
    assert "recovery" in Page(text).anchors
    assert "planted against calibrated parameters at samples" in text


def test_calibrations_that_all_failed_are_reported(tmp_path):
    study = Study(tmp_path / "failed.study")
    failed = posterior()
    failed["status"][:] = 2
    for name in failed.data_vars:
        if failed[name].dtype.kind == "f":
            failed[name][:] = np.nan
    study.save("posterior", failed)
    text = write_report(study).read_text(encoding="utf-8")
    assert "insufficient_observations" in text
    assert "The method gives an estimate without a posterior" in text


def test_tables_cards_and_pictures_escape_what_they_are_given():
    html = table([EVIL], [[EVIL, 1.23456, float("nan"), 7]])
    assert "<script" not in html
    assert "<td>1.23</td><td>–</td><td>7</td>" in html
    html = cards({EVIL: {"value": 2, "units": EVIL, "text": EVIL}})
    assert "<script" not in html
    assert ">2 <small>" in html
    html = image(Figure(figsize=(1, 1)), EVIL, EVIL)
    assert len(re.findall(r"<\w+", html)) == 3  # figure, img, figcaption
    html = page(EVIL, EVIL, "", [(EVIL, EVIL, "")], EVIL)
    assert_self_contained(html)
    assert "http" not in CSS


def test_absent_parts_are_said_by_name():
    assert skill_section(None).startswith("<p>Scores: not in this study")
    assert learning(None, None, None).startswith("<p>Learner: not in this study")
    assert recovery(None, None, None).startswith("<p>Planted parameters: not in this study")
    at_samples = theta().isel(lat=0, drop=True)
    assert "predicts at samples only" in maps(at_samples)
