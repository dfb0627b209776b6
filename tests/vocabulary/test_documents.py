import json
import math
import os

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridcal.errors import ConfigError, StudyError
from gridcal.vocabulary.documents import dump_yaml, parse_yaml, read_json, read_yaml, refusing

STUDY = refusing(ConfigError, "study file 'a.yml'")
RECORD = refusing(StudyError, "'a.json'")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("-3", -3), ("1_000", 1000), ("0.5", 0.5), ("1e-3", 0.001), ("2.5E+2", 250.0), (".inf", math.inf),
        ("true", True), ("No", False), ("on", True), ("null", None), ("~", None), ("", None), ("'1'", "1"), ('"yes"', "yes"),
        ("2001-01-01", "2001-01-01"), ("2001-13-45", "2001-13-45"), ("2001-01-01T12:00:00", "2001-01-01T12:00:00"),
        ("02:00:00", "02:00:00"), ("007", "007"), ("0x1F", "0x1F"),
        ("1-2", "1-2"), ("[1, a]", [1, "a"]), ("{b: {c: 2}}", {"b": {"c": 2}}),
        ("9" * 5000, "9" * 5000),
    ],
)  # fmt: skip
def test_values_are_what_they_look_like_and_dates_clocks_and_codes_stay_text(text, value):
    found = parse_yaml(f"a: {text}\n", STUDY)["a"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_text_as_they_are_written():
    assert parse_yaml("1: a\nyes: b\n2001-01-01: c\nnull: d\n", STUDY) == {"1": "a", "yes": "b", "2001-01-01": "c", "null": "d"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: &x [1]\nb: *x\n", "line 2: uses a YAML alias"),
        ("a: {<<: *x}\n", "alias"),
        ("[" * 900_000, "nested deeper than 20"),
        ("- " * 300_000, "nested deeper than 20"),
        ("a: [" + "1," * 30_000 + "]", "more than 20000 values"),
        ("a: 1\nb: {c: 1, c: 2}\n", "line 2: gives the key 'c' twice"),
        ("a: !!python/object/apply:os.system ['true']\n", "line 1: it uses a tag"),
        ("a: !!binary aGVsbG8=\n", "tag"),
        ("a: !!timestamp 2001-99-99\n", "tag"),
        ("a: 1\n---\na: 2\n", "line 2: starts a second document"),
        ("? [1, 2]\n: 3\n", "a key is no text"),
        ("a: [1, 2\nb: 3\n", r"line 2, column \d+"),
        ('a: "\\ud800"\n', "half of a character"),
        ("a" * 1_000_001, "larger than 1000000 bytes"),
        ("- a\n", "holds no mapping"),
        ("", "holds no mapping"),
    ],
)
def test_what_is_not_plain_is_refused_in_one_line_with_its_place(text, says):
    with pytest.raises(ConfigError, match=says) as caught:
        parse_yaml(text, STUDY)
    assert str(caught.value).startswith("study file 'a.yml' ")
    assert "\n" not in str(caught.value)
    assert caught.value.repair


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\x00\x00", "a: 1".encode("utf-16"), b"a: \x00", "a: \xe4".encode("latin-1")]
)
def test_binary_files_are_refused(tmp_path, data):
    (tmp_path / "a.yml").write_bytes(data)
    with pytest.raises(ConfigError, match="binary"):
        read_yaml(tmp_path / "a.yml", STUDY)


def test_pipes_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.yml")
    with pytest.raises(ConfigError, match="no plain file"):
        read_yaml(tmp_path / "a.yml", STUDY)


def test_a_mark_at_the_start_of_a_file_is_no_part_of_the_first_key(tmp_path):
    (tmp_path / "a.yml").write_bytes(b"\xef\xbb\xbftitle: x\r\nseed: 1\r\n")
    assert read_yaml(tmp_path / "a.yml", STUDY) == {"title": "x", "seed": 1}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": 1, "a": 2}', "a key is given twice"),
        ("[" * 100_000, "nested deeper"),
        ('{"a":' * 30 + "1" + "}" * 30, "nested deeper"),
        ('{"a": ' + "9" * 5000 + "}", "not plain JSON"),
        ('{"a": ', "not plain JSON"),
        ("", "not plain JSON"),
        ('"' + "x" * 20_000_001 + '"', "larger than"),
    ],
)
def test_records_that_are_not_plain_are_refused(tmp_path, text, says):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(StudyError, match=says):
        read_json(tmp_path / "a.json", RECORD)


def test_brackets_inside_text_are_no_depth(tmp_path):
    document = {"a": ["[" * 50, '\\"{' * 50], "b": [{"c": [1]}] * 30}
    (tmp_path / "a.json").write_text(json.dumps(document))
    assert read_json(tmp_path / "a.json", RECORD) == document


DOCUMENTS = st.dictionaries(
    st.text(max_size=8),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False)
        | st.text(max_size=8) | st.from_regex(r"[-+]?[0-9.:_eE+-]{1,10}", fullmatch=True),
        lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=8), x, max_size=3),
        max_leaves=10,
    ),
    max_size=4,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(DOCUMENTS)
def test_what_is_dumped_is_read_back(document):
    assert parse_yaml(dump_yaml(document), STUDY) == document


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=200) | st.text(alphabet="[]{}&*!:-,'\"|>%@ \n?#\tab1", max_size=200))
def test_any_text_is_read_or_refused_and_what_is_read_is_what_yaml_means(text):
    try:
        found = parse_yaml(text, STUDY)
    except ConfigError:
        return
    other = yaml.load(text, Loader=yaml.BaseLoader)  # every scalar as its text
    assert _as_text(found) == _as_text(other)


def _as_text(value):
    if isinstance(value, dict):
        return {k: _as_text(v) for k, v in value.items()}
    return [_as_text(v) for v in value] if isinstance(value, list) else None
