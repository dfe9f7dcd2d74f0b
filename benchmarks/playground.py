"""Do the playground's experiments do what its page says, whatever the seed? Ask a browser.

Runs the page's own scripts in Chromium without the page: each experiment of experiments.js from end
to end, once a seed. Prints and stores what was measured after each stage, on digits that were not
trained on, and which claims held. Exits with 1 if one did not. Writes results/playground.json.
Needs Chromium, and the extra `site`.
"""

import argparse
import platform
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from measuring import significant, write_report

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

from make_playground import scripts_in_a_browser

RESULTS = Path(__file__).parent / "results" / "playground.json"
TITLES = {"tug": "tug of war", "collapse": "collapse", "holes": "holes", "blur": "blur"}
TITLES["sign"] = "wrong sign"
WITHOUT_KL = ("an autoencoder", "no noise, no KL")
RUN = """([id, seed]) => {
  const { LIST, run, hold } = bookLive.experiments;
  const experiment = LIST.find(one => one.id === id);
  const measures = run(experiment, digits, seed);
  return {
    stages: experiment.stages.map((stage, i) => ({ name: stage.name, ...measures[i] })),
    claims: hold(experiment, measures),
  };
}"""


def one_seed(seed: int) -> tuple[dict[str, dict], str]:
    """Return what each experiment gave for one seed, and the browser's version."""
    with scripts_in_a_browser() as page:
        names = page.evaluate("bookLive.experiments.LIST.map(experiment => experiment.id)")
        found = {name: page.evaluate(RUN, [name, seed]) for name in names}
        return found, page.context.browser.version


def summary(runs: list[dict]) -> dict:
    """Return the median, least and most of each measure of a stage, and how often claims held."""
    stages = []
    for one in zip(*(run["stages"] for run in runs), strict=True):
        measures = {
            key: significant(
                {
                    "median": np.median([stage[key] for stage in one]),
                    "least": min(stage[key] for stage in one),
                    "most": max(stage[key] for stage in one),
                },
                4,
            )
            for key in one[0]
            if key != "name"
        }
        stages.append({"name": one[0]["name"], **measures})
    claims = {name: sum(run["claims"][name] for run in runs) for name in runs[0]["claims"]}
    return {"stages": stages, "claims held": claims}


ROWS = (  # of the page's table: experiment, stage
    ("tug", 0), ("tug", 1), ("tug", 2), ("collapse", 0), ("collapse", 1), ("holes", 0),
    ("holes", 1), ("blur", 0), ("blur", 1), ("blur", 2), ("sign", 0), ("sign", 1),
)  # fmt: skip
COLUMNS = {"reconstruction": 1, "kl": 2, "grey": 2, "outside": 2, "empty": 2}  # decimals


def table(report: dict) -> str:
    """Return the page's table: the median of each measure."""
    head = ["experiment", "what trains", "reconstruction", "KL", "grey", "outside", "empty"]
    lines = [f"| {' | '.join(head)} |", "|---|---|---|---|---|---|---|"]
    for name, at in ROWS:
        stage = report["experiments"][name]["stages"][at]
        cells = [TITLES[name], stage["name"]]
        for key, digits in COLUMNS.items():
            if key == "kl" and stage["name"] in WITHOUT_KL:
                cells.append("none")
                continue
            cells.append(shown(stage[key]["median"], digits))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def shown(value: float, digits: int) -> str:
    """Write a number; one beyond a million by its power of ten."""
    if value < 1e6:
        return f"{value:.{digits}f}"
    return "10" + str(int(np.log10(value))).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def report_of(seeds: list[tuple[dict[str, dict], str]]) -> dict:
    """Return what is stored: all seeds together."""
    names = seeds[0][0]
    return {
        "command": "python benchmarks/playground.py",
        "protocol": f"the page's scripts, seeds 1 to {len(seeds)}; trained on the first 3,000 "
        "gallery digits of mnist-5k at 14 x 14, measured on the next 1,000; every stage as "
        "experiments.js has it",
        "python": platform.python_version(),
        "browser": f"Chromium {seeds[0][1]}",
        "seeds": len(seeds),
        "experiments": {name: summary([found[name] for found, _ in seeds]) for name in names},
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=20, help="how many (20)")
    parser.add_argument("--jobs", type=int, default=2, help="so many browsers at a time (2)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the JSON file goes")
    arguments = parser.parse_args()
    with ProcessPoolExecutor(arguments.jobs) as pool:  # a browser a seed, so that none grows old
        seeds = []
        for found, version in pool.map(one_seed, range(1, arguments.seeds + 1)):
            seeds.append((found, version))
            held = all(all(one["claims"].values()) for one in found.values())
            print(f"seed {len(seeds)}: {'all claims hold' if held else 'NOT AS SAID'}", flush=True)
    report = report_of(seeds)
    write_report(arguments.output, report)
    broken = [
        f"{name}: {claim}, {times} of {arguments.seeds}"
        for name, one in report["experiments"].items()
        for claim, times in one["claims held"].items()
        if times < arguments.seeds
    ]
    print("\n".join(broken) or f"every claim held for {arguments.seeds} seeds")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
