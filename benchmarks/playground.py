"""Do the playground's experiments do what its page says, whatever the seed? Ask a browser.

Runs the page's own scripts in Chromium without the page: each experiment of experiments.js from end
to end, once a seed. Prints and stores what was measured after each stage, on digits that were not
trained on, and which claims held. Exits with 1 if one did not. Writes results/playground.json.
Needs Chromium, and the extra `site`.
"""

import argparse
import platform
import sys
import tempfile
from pathlib import Path
from shutil import which

import numpy as np
from measuring import significant, write_report
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results" / "playground.json"
STATIC = ROOT / "book" / "_static"
SCRIPTS = ("live/live.js", "live/vae.js", "live/experiments.js", "web/small-digits.js")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
START = """async () => {
  const { trained, packed } = bookLive.data["small-digits"];
  const all = bookLive.vae.unpacked(await bookLive.unpack(packed));
  const cut = trained * bookLive.vae.PIXELS;
  window.digits = { train: all.subarray(0, cut), shown: all.subarray(cut) };
  return bookLive.experiments.LIST.map(experiment => experiment.id);
}"""
RUN = """([id, seed]) => {
  const { LIST, run, hold } = bookLive.experiments;
  const experiment = LIST.find(one => one.id === id);
  const measures = run(experiment, digits, seed);
  return {
    stages: experiment.stages.map((stage, i) => ({ name: stage.name, ...measures[i] })),
    claims: hold(experiment, measures),
  };
}"""


def in_a_browser(seeds: int) -> tuple[dict[str, list[dict]], str]:
    """Return what each experiment gave, seed after seed, and the browser's version."""
    program = next(filter(None, map(which, BROWSERS)), None)
    tags = "".join(f'<script src="{(STATIC / name).as_uri()}"></script>' for name in SCRIPTS)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        blank = Path(folder) / "blank.html"
        blank.write_text(f"<!doctype html><meta charset=utf-8>{tags}", encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(0)
        page.goto(blank.as_uri())
        found: dict[str, list[dict]] = {name: [] for name in page.evaluate(START)}
        for seed in range(1, seeds + 1):
            for name, runs in found.items():
                runs.append(page.evaluate(RUN, [name, seed]))
                held = "all claims hold" if all(runs[-1]["claims"].values()) else "NOT AS SAID"
                print(f"seed {seed}, {name}: {held}", flush=True)
        version = browser.version
        browser.close()
    return found, version


def summary(runs: list[dict]) -> dict:
    """Return per stage the median, least and largest of each measure; per claim how often it held."""
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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=20, help="how many (20)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the JSON file goes")
    arguments = parser.parse_args()
    found, version = in_a_browser(arguments.seeds)
    report = {
        "command": "python benchmarks/playground.py",
        "protocol": f"the page's scripts, seeds 1 to {arguments.seeds}; trained on the first 3,000 "
        "gallery digits of mnist-5k at 14 x 14, measured on the next 1,000; every stage as "
        "experiments.js has it",
        "python": platform.python_version(),
        "browser": f"Chromium {version}",
        "seeds": arguments.seeds,
        "experiments": {name: summary(runs) for name, runs in found.items()},
    }
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
