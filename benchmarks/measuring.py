"""What several benchmarks do in one way: time, average, round, describe the machine, write."""

import importlib.metadata
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vae_tutorial import metrics

# -- Numbers --------------------------------------------------------------------------------------


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows of length 1; a row of zeros stays one."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths == 0, 1, lengths)


def interval(values: np.ndarray, resamples: np.ndarray) -> list[float]:
    """The middle 95 % of the means over resamples, one row of positions each."""
    means = np.array([values[rows].mean() for rows in resamples])
    return [float(limit) for limit in np.percentile(means, [2.5, 97.5])]


def significant(value, digits: int):
    """Round to so many significant digits; of a dictionary, every value."""
    if isinstance(value, dict):
        return {name: significant(number, digits) for name, number in value.items()}
    return float(f"{value:.{digits}g}")


def rounded(value: float) -> float:
    return round(float(value), 4)


def summary(scores: list[dict]) -> dict:
    """One seed or a fixed method: bootstrap interval over queries. Several: their spread."""
    means = [score["mean"] for score in scores]
    if len(means) == 1:
        return {"mean": rounded(means[0]), "interval": [rounded(v) for v in scores[0]["interval"]]}
    return {"mean": rounded(np.mean(means)), "each": [rounded(mean) for mean in means]}


def paired(first: np.ndarray, second: np.ndarray) -> dict:
    """Difference of two methods on the same queries, (seeds, queries) each, with an interval.

    The scores of a query are averaged over seeds first: the interval is about queries. How far
    single seeds differ stands beside it, where both have as many.
    """
    means = first.mean(axis=0), second.mean(axis=0)
    difference, *ends = metrics.paired_bootstrap(*means, n_resamples=2000)
    found = {"mean": rounded(difference), "interval": [rounded(end) for end in ends]}
    if len(first) == len(second) > 1:
        found["each"] = [rounded(gap) for gap in first.mean(axis=1) - second.mean(axis=1)]
    return found


# -- Time -----------------------------------------------------------------------------------------


def median_seconds(functions: dict[str, Callable], repeats: int) -> dict[str, float]:
    """Median seconds of each function, their calls interleaved so that all see the same load.

    Each is called once before, to warm up.
    """
    times: dict[str, list[float]] = {name: [] for name in functions}
    for function in functions.values():
        function()
    for _ in range(repeats):
        for name, function in functions.items():
            started = time.perf_counter()
            function()
            times[name].append(time.perf_counter() - started)
    return {name: float(np.median(values)) for name, values in times.items()}


def medians(rounds: dict[str, list[float]]) -> dict[str, float]:
    """The median of each row's rounds without the first, which compiles."""
    return {name: float(np.median(values[1:])) for name, values in rounds.items()}


# -- Where it was measured, and where it goes -----------------------------------------------------


def machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores"


def versions(*packages: str) -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in packages}


def write_whole(path: Path, content: str | Callable[[Path], None]) -> None:
    """Write a text, or what a function writes, in one step: no reader ever meets half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    if callable(content):
        content(part)
    else:
        part.write_text(content, encoding="utf-8")
    os.replace(part, path)


def write_report(path: Path, report: dict, indent: int = 1) -> None:
    """Write a result file, and say so."""
    write_whole(path, json.dumps(report, indent=indent) + "\n")
    print(f"wrote {path.name}")
