"""What the benchmarks share: each against its plain definition."""

import json

import measuring
import numpy as np
import pytest


def test_rows_become_as_long_as_one_and_zeros_stay():
    rows = np.array([[3, 4], [0, 0]], np.float32)
    np.testing.assert_allclose(measuring.unit(rows), [[0.6, 0.8], [0, 0]])
    assert measuring.unit(rows).dtype == np.float32


def test_an_interval_is_the_middle_of_the_means():
    values = np.arange(4.0)
    resamples = np.repeat(np.arange(4)[:, None], 2, axis=1)  # whose means are 0, 1, 2, 3
    assert measuring.interval(values, resamples) == pytest.approx([0.075, 2.925])


def test_one_seed_has_an_interval_and_several_have_each():
    one = [{"mean": 0.123456, "interval": [0.1, 0.23456]}]
    assert measuring.summary(one) == {"mean": 0.1235, "interval": [0.1, 0.2346]}
    assert measuring.summary([*one, {"mean": 0.2}]) == {"mean": 0.1617, "each": [0.1235, 0.2]}


def test_numbers_are_rounded_to_what_they_carry():
    assert measuring.significant(0.00123456, 3) == 0.00123
    assert measuring.significant({"a": 123456.0, "b": {"c": 1.5}}, 4) == {
        "a": 123500.0,
        "b": {"c": 1.5},
    }


def test_methods_take_turns_after_one_call_each(monkeypatch):
    calls, clock = [], iter(np.cumsum([0, 1, 0, 5, 0, 3, 0, 7]))
    monkeypatch.setattr(measuring.time, "perf_counter", lambda: next(clock))
    functions = {name: lambda name=name: calls.append(name) for name in "ab"}
    assert measuring.median_seconds(functions, 2) == {"a": 2.0, "b": 6.0}
    assert "".join(calls) == "ababab"


def test_the_first_round_does_not_count():
    assert measuring.medians({"a": [90.0, 1.0, 3.0, 2.0]}) == {"a": 2.0}


def test_a_report_is_written_whole_or_not_at_all(tmp_path, capsys):
    path = tmp_path / "new" / "result.json"
    measuring.write_report(path, {"a": 1})
    assert path.read_text(encoding="utf-8") == '{\n "a": 1\n}\n'
    with pytest.raises(TypeError):
        measuring.write_report(path, {"a": object()})
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": 1}
    assert [file.name for file in path.parent.iterdir()] == ["result.json"]
    assert capsys.readouterr().out == "wrote result.json\n"
