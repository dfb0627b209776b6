import io
import sys

import pytest

from gridcal.study import progress as module
from gridcal.study.progress import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.delenv("GRIDCAL_PROGRESS", raising=False)
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def run(clock, total, seconds, **options):
    with progress(total, "calibrating pixels", **options) as step:
        for _ in range(total - options.get("done", 0)):
            clock[0] += seconds
            step(1)


def test_short_work_says_nothing(clock, capsys):
    run(clock, 4, 0.4)
    assert capsys.readouterr().err == ""


def test_long_work_says_a_line_every_ten_seconds(clock, capsys):
    run(clock, 60, 1.0)
    lines = capsys.readouterr().err.splitlines()
    assert 6 <= len(lines) <= 8
    assert lines[1] == "calibrating pixels: 13/60 after 13 s, 1.0/s, about 47 s left"
    assert lines[-1] == "calibrating pixels: 60/60 after 60 s, 1.0/s"


def test_rate_counts_this_run_only(clock, capsys):
    run(clock, 100, 30.0, done=90)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "calibrating pixels: 91/100 after 30 s, 2.0/min, about 0:04:30 left"


@pytest.mark.parametrize("how", ["environment", "quiet"])
def test_can_be_silenced(clock, capsys, monkeypatch, how):
    if how == "environment":
        monkeypatch.setenv("GRIDCAL_PROGRESS", "0")
    run(clock, 60, 5.0, quiet=how == "quiet")
    assert capsys.readouterr().err == ""


def test_terminal_has_a_bar(monkeypatch):
    monkeypatch.delenv("GRIDCAL_PROGRESS", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with progress(3, "predicting") as step:
        step(1)
        step(2)
    assert "predicting" in screen.getvalue()
    assert "3/3" in screen.getvalue()
