"""What a fresh run of the study may differ in from the stored one, and what a short run must reach.

Both answer with a list of faults in words; an empty list says that there is none.
"""

import numpy as np

# The same arithmetic on the same images: at most a tie falls the other way on another processor.
EXACT = 5e-4
# Training, and ITQ's alternation, carry the rounding of another processor on to other weights. With
# AVX2 in place of AVX-512 no score of 50 trained rows moved by more than 0.84 times half its stored
# interval (over queries), none of ITQ by more than 0.67, and no bound or ELBO by a thousandth.
WIDTHS = 2.0  # times half the stored interval
FLOOR = 0.01  # and never less than this: at chance an interval is narrower than a tie
NATS = 0.01  # bounds and ELBO: share of the stored value; their interval is one over images
# A short run: P@10 over that of a random order. After one epoch, draws from the posterior are
# nearly draws from the prior, which is what that row is there to show.
MARGIN, NEAR_CHANCE = 0.2, "sampled z"

SAME = ("data", "protocol", "labels", "metrics", "views")


def compare(stored: dict, fresh: dict) -> tuple[list[tuple], list[str]]:
    """Return (row, metric, deviation, allowed) of every score, and the faults."""
    faults = [f"{key} differs from the stored" for key in SAME if stored[key] != fresh[key]]
    old, new = (
        {(line["group"], line["name"]): line for line in report["rows"]}
        for report in (stored, fresh)
    )
    faults += [f"{key[1]}: missing, but stored" for key in old if key not in new]
    faults += [f"{key[1]}: not among the stored rows" for key in new if key not in old]
    table = []
    for key in (key for key in old if key in new):
        lines, wrong = compare_row(old[key], new[key])
        table += lines
        faults += wrong
    return table, faults


def compare_row(old: dict, new: dict) -> tuple[list[tuple], list[str]]:
    """Compare one row with the stored one: what it costs and is trained with, and every score."""
    name = old["name"]
    faults = [
        f"{name}: {what} {new.get(what)!r}, stored {old.get(what)!r}"
        for what in ("seeds", "bytes", "settings")
        if new.get(what) != old.get(what)
    ]
    if old["scores"].keys() != new["scores"].keys():
        return [], [*faults, f"{name}: metrics {[*new['scores']]}, stored {[*old['scores']]}"]
    table = []
    wanted, found = values(old), values(new)
    for metric, value in wanted.items():
        got, limit = found[metric], allowed(old, metric, value)
        table.append((name, metric, got - value, limit))
        if not abs(got - value) <= limit:  # also where it is no number
            faults.append(f"{name}: {metric} {got}, stored {value}, allowed +-{limit:.4f}")
    return table, faults


def values(line: dict) -> dict[str, float]:
    """Every score of a row, and the ELBO of its model."""
    scores = {metric: value["mean"] for metric, value in line["scores"].items()}
    return scores | ({"test ELBO": line["model"]["test ELBO"]} if "model" in line else {})


def allowed(line: dict, metric: str, value: float) -> float:
    """How far a score may be from the stored value."""
    if "settings" not in line and not line["name"].startswith("ITQ"):
        return EXACT
    if metric == "test ELBO" or line["group"] == "likelihood":
        return NATS * abs(value)
    score = line["scores"][metric]
    ends = score.get("interval") or (min(score["each"]), max(score["each"]))
    return max(FLOOR, WIDTHS * (ends[1] - ends[0]) / 2)


def table_text(table: list[tuple]) -> str:
    """One line a row: the score that comes nearest to its limit."""
    worst: dict[str, tuple] = {}
    for line in table:
        share = abs(line[2]) / line[3]
        if line[0] not in worst or share > abs(worst[line[0]][2]) / worst[line[0]][3]:
            worst[line[0]] = line
    lines = [f"{'row':45} {'metric':15} deviation   allowed"]
    lines += [
        f"{row:45} {m:15} {deviation:+9.4f} {limit:9.4f}"
        for row, m, deviation, limit in worst.values()
    ]
    return "\n".join(lines)


def short_run_faults(stored: dict, fresh: dict, split) -> list[str]:
    """What is wrong with one epoch of one row a method, whose untrained rows are stored ones."""
    old = {(line["group"], line["name"]): line for line in stored["rows"]}
    share = np.mean(split.query_labels[:, None] == split.gallery_labels)
    faults = []
    for line in fresh["rows"]:
        scores = {metric: value["mean"] for metric, value in line["scores"].items()}
        known = old[line["group"], line["name"]]
        if not np.isfinite([*scores.values()]).all():
            faults.append(f"{line['name']}: not finite: {scores}")
        elif "settings" not in line:
            faults += compare_row(known, line)[1]
        elif line["bytes"] != known["bytes"]:
            faults.append(f"{line['name']}: bytes {line['bytes']}, stored {known['bytes']}")
        elif line["group"] == "likelihood":
            coins = -np.log(2) * split.queries[0].size  # a decoder that has learnt nothing
            if not coins < scores["binarised ELBO"] < scores["IWAE bound"] < 0:
                faults.append(f"{line['name']}: out of order: {coins:.1f}, {scores}")
        elif NEAR_CHANCE not in line["name"] and not scores["P@10"] > share + MARGIN:
            faults.append(f"{line['name']}: P@10 {scores['P@10']}, chance is {share:.3f}")
    return faults
