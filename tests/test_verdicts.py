"""The sentences that sum up the fair fight stand on their pages, and the stored numbers say so.

A claim compares two rows on the same queries. It holds if the interval of the paired difference
lies on its side of zero, or, of two rows called level, if the difference is small. So a change of
the numbers in either direction names the sentence that is no longer true.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
import numpy as np
import pytest
from entrants import FAMILIES, NOT_HELPED

from vae_tutorial import metrics

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
LEVEL = 0.005  # of two means that a sentence calls level
LITTLE = 0.01  # by which a method that is hardly better is better at most

Row = tuple[str, str]


@dataclass(frozen=True)
class Claim:
    page: str
    sentence: str  # as it stands on the page
    measure: str
    first: Row
    relation: str  # ">", "hardly >" or "=": the first is better, better by little, or level
    second: Row
    data: str = "mnist"


def of(name: str, group: str = "methods") -> Row:
    return group, name


RESAMPLES = 500


@cache
def report(data: str) -> dict:
    return json.loads((RESULTS / f"fair-{data}.json").read_text(encoding="utf-8"))


@cache
def of_queries(data: str) -> dict[str, np.ndarray]:
    with np.load(RESULTS / f"fair-scores-{data}.npz", allow_pickle=False) as stored:
        return {key: stored[key].astype(float) for key in stored.files}


def difference(data: str, measure: str, first: Row, second: Row) -> tuple[float, float, float]:
    """Return the paired difference of two rows, and the ends of its interval."""
    for line in report(data)["differences"]:
        pair = tuple(line["first"]), tuple(line["second"])
        mean, (low, high) = line[measure]["mean"], line[measure]["interval"]
        if pair == (first, second):
            return mean, low, high
        if pair == (second, first):
            return -mean, -high, -low
    values = (of_queries(data)[f"{group}: {name}: {measure}"] for group, name in (first, second))
    return metrics.paired_bootstrap(*values, n_resamples=RESAMPLES)


def holds(relation: str, found: tuple[float, float, float]) -> bool:
    mean, low, _ = found
    if relation == "=":
        return abs(mean) < LEVEL
    return low > 0 and (relation == ">" or mean < LITTLE)


@cache
def words(page: str) -> str:
    path = ROOT / "book" / page
    if path.suffix == ".ipynb":
        cells = nbformat.read(path, as_version=4).cells
        text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    else:
        text = path.read_text(encoding="utf-8")
    return " ".join(text.replace("**", "").split())


PAGE, BETTER, FIRST = "retrieval.ipynb", "better-representations.ipynb", "index.md"
HARDLY = "finds digits hardly better than PCA"
MOST = "Put in by hand, before any search, it goes most of the way:"
BEATS = (
    "has the best first ten results on digits, even when its rivals get a graph of neighbours too"
)
WITHOUT = "without the noise and the KL term that make it a VAE, it is as good."
PLAIN = "A plain VAE is a little better than PCA, and well behind knowledge made by hand."
VIEWED = "The view VAE and upright HOG have the same P@10, and nearly the same mAP."
DRAWN = (
    "the HOG view VAE is ahead of upright HOG, of the view VAE and of the contrastive encoder at "
    "the top of the list."
)
CONTRAST = "In mAP the contrastive encoder is ahead of it."
CONTROL = "So is the HOG view *autoencoder*"
GRAPH = "The graph view VAE beats every other row without labels in P@10 and in mAP."
LABELS = "Its P@10 is level with that of the supervised encoder"
LABELS_WIN = "in mAP the labels still win."
VIEWS = "Views bring the whole class nearer: much mAP, and next to nothing at the top."
NOISE = "Noise alone brings nothing."
KL = (
    "The KL term is worth something where pixels are drawn: a little P@10 and, together with "
    "views, much mAP."
)
ALONE = "Without views it costs mAP."
SHARE = "the KL term earns a little at the top and a good part of the gain in mAP."
STAYS = "and their P@10 stays where it was."
CHARGE = "the charge gains more on top, but only together with views."
NO_KL = "Where edges are drawn it changes nothing that matters"
COSTS = "where the graph is drawn, noise and KL together cost mAP."
CONSISTENT = "Consistency buys a little mAP and pays with P@10."
TARGET = "The one large step at the top of the list is the target: edges, not pixels."
HELPED = "With the same help the plain VAE is now clearly ahead of PCA"
HELPED_BEST = "the HOG view VAE has the highest mAP of all."
HANDS = "come out level with the view VAE with a graph."
PIXELS, EDGES = "drawing pixels", "drawing HOG"
VAE, VIEW, HOG_VAE, GRAPH_VAE = of("VAE"), of("view VAE"), of("HOG view VAE"), of("graph view VAE")
UPRIGHT, AGAINST = of("upright HOG, PCA"), of("contrastive encoder")
WITH_VIEWS, WITH_NOISE = "with views", "with views and noise"
WITH_KL = "with views, noise and KL"
UNLABELLED = [n for n in FAMILIES["mnist"] if n not in ("graph view VAE", "supervised encoder")]
CLAIMS = [
    Claim(PAGE, PLAIN, "P@10", VAE, ">", of("PCA")),
    Claim(PAGE, PLAIN, "mAP", VAE, ">", of("PCA")),
    Claim(PAGE, PLAIN, "P@10", of("upright PCA"), ">", VAE),
    Claim(PAGE, PLAIN, "mAP", UPRIGHT, ">", VAE),
    Claim(PAGE, VIEWED, "P@10", VIEW, "=", UPRIGHT),
    Claim(PAGE, VIEWED, "mAP", VIEW, "=", UPRIGHT),
    *(Claim(PAGE, DRAWN, "P@10", HOG_VAE, ">", other) for other in (UPRIGHT, VIEW, AGAINST)),
    Claim(PAGE, CONTRAST, "mAP", AGAINST, ">", HOG_VAE),
    Claim(PAGE, CONTROL, "mAP", of("HOG view autoencoder"), ">", HOG_VAE),
    *(Claim(PAGE, GRAPH, m, GRAPH_VAE, ">", of(n)) for n in UNLABELLED for m in ("P@10", "mAP")),
    Claim(PAGE, LABELS, "P@10", GRAPH_VAE, "=", of("supervised encoder")),
    Claim(PAGE, LABELS_WIN, "mAP", of("supervised encoder"), ">", GRAPH_VAE),
    Claim(PAGE, VIEWS, "mAP", (PIXELS, WITH_VIEWS), ">", (PIXELS, "autoencoder")),
    Claim(PAGE, VIEWS, "P@10", (PIXELS, WITH_VIEWS), "=", (PIXELS, "autoencoder")),
    Claim(PAGE, NOISE, "P@10", (PIXELS, WITH_NOISE), "=", (PIXELS, WITH_VIEWS)),
    Claim(PAGE, NOISE, "mAP", (PIXELS, WITH_NOISE), "=", (PIXELS, WITH_VIEWS)),
    Claim(PAGE, KL, "P@10", (PIXELS, WITH_KL), ">", (PIXELS, WITH_NOISE)),
    Claim(PAGE, KL, "mAP", (PIXELS, WITH_KL), ">", (PIXELS, WITH_NOISE)),
    Claim(PAGE, ALONE, "mAP", (PIXELS, "with noise"), ">", (PIXELS, "with noise and KL")),
    *(Claim(PAGE, SHARE, m, (PIXELS, WITH_KL), ">", (PIXELS, WITH_NOISE)) for m in ("P@10", "mAP")),
    Claim(PAGE, STAYS, "P@10", (EDGES, WITH_KL), "=", (EDGES, WITH_NOISE)),
    Claim(PAGE, STAYS, "P@10", (EDGES, WITH_NOISE), "=", (EDGES, WITH_VIEWS)),
    Claim(
        PAGE, STAYS, "P@10", ("drawing the graph", WITH_KL), "=", ("drawing the graph", WITH_VIEWS)
    ),
    Claim(BETTER, CHARGE, "mAP", (PIXELS, WITH_VIEWS), ">", (PIXELS, "autoencoder")),
    Claim(BETTER, CHARGE, "mAP", (PIXELS, WITH_KL), ">", (PIXELS, WITH_NOISE)),
    Claim(BETTER, CHARGE, "mAP", (PIXELS, "with noise"), ">", (PIXELS, "with noise and KL")),
    Claim(PAGE, NO_KL, "P@10", (EDGES, WITH_KL), "=", (EDGES, WITH_NOISE)),
    Claim(PAGE, NO_KL, "mAP", (EDGES, WITH_KL), "=", (EDGES, WITH_NOISE)),
    Claim(
        PAGE, COSTS, "mAP", ("drawing the graph", WITH_VIEWS), ">", ("drawing the graph", WITH_KL)
    ),
    Claim(PAGE, CONSISTENT, "mAP", (PIXELS, "with consistency too"), ">", (PIXELS, WITH_KL)),
    Claim(PAGE, CONSISTENT, "P@10", (PIXELS, WITH_KL), ">", (PIXELS, "with consistency too")),
    Claim(PAGE, TARGET, "P@10", (EDGES, WITH_VIEWS), ">", (PIXELS, WITH_VIEWS)),
    Claim(PAGE, HELPED, "mAP", of("VAE", "graph"), ">", of("PCA", "graph")),
    *(
        Claim(PAGE, HELPED_BEST, "mAP", of("HOG view VAE", "graph"), ">", of(n, "graph"))
        for n in (*UNLABELLED, "graph view VAE")
        if n not in ("HOG view VAE", *NOT_HELPED)
    ),
    Claim(FIRST, HARDLY, "P@10", VAE, "hardly >", of("PCA")),
    Claim(FIRST, MOST, "P@10", of("upright PCA"), ">", VAE),
    Claim(FIRST, MOST, "P@10", VIEW, "=", of("upright PCA")),
    *(Claim(FIRST, BEATS, "P@10", GRAPH_VAE, ">", of(n)) for n in UNLABELLED),
    *(
        Claim(FIRST, BEATS, "P@10", GRAPH_VAE, ">", of(n, "graph"))
        for n in UNLABELLED
        if n not in NOT_HELPED
    ),
    Claim(
        FIRST,
        WITHOUT,
        "P@10",
        ("drawing the graph", WITH_KL),
        "=",
        ("drawing the graph", WITH_VIEWS),
    ),
    Claim(
        FIRST,
        WITHOUT,
        "mAP",
        ("drawing the graph", WITH_VIEWS),
        ">",
        ("drawing the graph", WITH_KL),
    ),
    Claim(PAGE, HANDS, "mAP", of("upright pixels", "graph"), "=", of("view VAE", "graph")),
]

FIRST_CLOTHES = "On clothes views help little and edges help most."
BEHIND = "At P@10 the view VAE is behind the plain VAE, and both are behind the pixels themselves."
CLOTHES_HOG = "HOG with PCA is ahead of every network that draws pixels."
CLOTHES_EDGES = "The HOG view VAE is ahead of HOG itself, in both measures."
CLOTHES_CONTROL = "and the control is ahead of the VAE."
CLOTHES_GRAPH = "has the P@10 of the HOG view VAE and slightly more mAP."
OUT_OF_REACH = "The labels are out of reach for everyone."
LAST = "The contrastive encoder, so good at digits, is last at the top of the list."
STEP = "The target is again by far the largest step."
POINT = "The KL term earns about a point of P@10 where pixels are drawn, with views and without."
COST = "views *cost* where pixels are drawn, and gain a little only where edges are."
NOISE_COSTS = "Noise costs where edges are drawn, and consistency costs in both measures."
BOTH = "With views it gains in both measures, on digits and on clothes."
DEARER = "Both kinds raise every mAP, by less than for digits, and both lower every P@10."
SAME = "With a graph, pixels have the mAP of the view VAE."
AHEAD = "The plain VAE is ahead of PCA."
TWO = "The two networks that draw edges are level and have the highest mAP"
HOG_AUTO = of("HOG view autoencoder")
EVERY = [n for n in FAMILIES["fashion-mnist"] if n not in NOT_HELPED]
BOTH_MEASURES = ("P@10", "mAP")


def clothed(sentence: str, measure: str, first: Row, relation: str, second: Row) -> Claim:
    return Claim(PAGE, sentence, measure, first, relation, second, "fashion-mnist")


CLAIMS += [
    clothed(BEHIND, "P@10", VAE, ">", VIEW),
    Claim(FIRST, FIRST_CLOTHES, "mAP", VIEW, "hardly >", VAE, "fashion-mnist"),
    *(
        Claim(FIRST, FIRST_CLOTHES, m, (EDGES, v), ">", (PIXELS, v), "fashion-mnist")
        for v in ("autoencoder", WITH_VIEWS)
        for m in BOTH_MEASURES
    ),
    clothed(BEHIND, "P@10", of("pixels"), ">", VAE),
    *(
        clothed(CLOTHES_HOG, m, of("HOG, PCA"), ">", of(n))
        for n in ("autoencoder", "VAE", "view autoencoder", "view VAE")
        for m in BOTH_MEASURES
    ),
    *(clothed(CLOTHES_EDGES, m, HOG_VAE, ">", of("HOG, PCA")) for m in BOTH_MEASURES),
    *(clothed(CLOTHES_CONTROL, m, HOG_AUTO, ">", HOG_VAE) for m in BOTH_MEASURES),
    clothed(CLOTHES_GRAPH, "P@10", GRAPH_VAE, "=", HOG_VAE),
    clothed(CLOTHES_GRAPH, "mAP", GRAPH_VAE, ">", HOG_VAE),
    *(
        clothed(OUT_OF_REACH, m, of("supervised encoder"), ">", of(n))
        for n in FAMILIES["fashion-mnist"]
        if n != "supervised encoder"
        for m in BOTH_MEASURES
    ),
    *(
        clothed(LAST, "P@10", of(n), ">", AGAINST)
        for n in FAMILIES["fashion-mnist"]
        if n != AGAINST[1]
    ),
    clothed(STEP, "P@10", (EDGES, WITH_VIEWS), ">", (PIXELS, WITH_VIEWS)),
    clothed(POINT, "P@10", (PIXELS, WITH_KL), "hardly >", (PIXELS, WITH_NOISE)),
    clothed(POINT, "P@10", (PIXELS, "with noise and KL"), ">", (PIXELS, "with noise")),
    *(clothed(COST, m, (PIXELS, "autoencoder"), ">", (PIXELS, WITH_VIEWS)) for m in BOTH_MEASURES),
    clothed(COST, "P@10", (EDGES, WITH_VIEWS), "hardly >", (EDGES, "autoencoder")),
    clothed(COST, "mAP", (EDGES, WITH_VIEWS), ">", (EDGES, "autoencoder")),
    *(
        clothed(NOISE_COSTS, m, (EDGES, WITH_VIEWS), ">", (EDGES, WITH_NOISE))
        for m in BOTH_MEASURES
    ),
    *(
        clothed(NOISE_COSTS, m, (EDGES, "autoencoder"), ">", (EDGES, "with noise"))
        for m in BOTH_MEASURES
    ),
    *(
        clothed(NOISE_COSTS, m, (PIXELS, WITH_KL), ">", (PIXELS, "with consistency too"))
        for m in BOTH_MEASURES
    ),
    *(
        Claim(PAGE, BOTH, m, (PIXELS, WITH_KL), ">", (PIXELS, WITH_NOISE), data)
        for m in BOTH_MEASURES
        for data in ("mnist", "fashion-mnist")
    ),
    *(clothed(DEARER, "P@10", of(n), ">", of(n, "graph")) for n in EVERY),
    *(clothed(DEARER, "mAP", of(n, "graph"), ">", of(n)) for n in EVERY),
    clothed(SAME, "mAP", of("pixels", "graph"), "=", of("view VAE", "graph")),
    clothed(AHEAD, "mAP", of("VAE", "graph"), ">", of("PCA", "graph")),
    clothed(TWO, "mAP", of("HOG view VAE", "graph"), "=", of("HOG view autoencoder", "graph")),
    *(
        clothed(TWO, "mAP", of(ours, "graph"), ">", of(n, "graph"))
        for ours in ("HOG view VAE", "HOG view autoencoder")
        for n in EVERY
        if n not in ("HOG view VAE", "HOG view autoencoder")
    ),
]


def name_of(claim: Claim) -> str:
    return f"{claim.first[1]} {claim.relation} {claim.second[1]}, {claim.measure}, {claim.data}"


@pytest.mark.parametrize("claim", CLAIMS, ids=name_of)
def test_a_verdict_stands_on_its_page_and_the_numbers_say_so(claim):
    assert claim.sentence in words(claim.page)
    check(claim)


def check(claim: Claim) -> None:
    found = difference(claim.data, claim.measure, claim.first, claim.second)
    assert holds(claim.relation, found), (
        f"{claim.page} says {claim.sentence!r}, but {name_of(claim)}: {found}"
    )


@pytest.mark.slow
@pytest.mark.parametrize("claim", CLAIMS, ids=name_of)
def test_other_numbers_name_the_sentence_that_is_no_longer_true(claim, monkeypatch):
    """The stored scores of the two rows are exchanged, or, where they are level, moved apart."""
    pair = claim.first, claim.second
    first, second = (f"{group}: {name}: {claim.measure}" for group, name in pair)
    scores, lines = dict(of_queries(claim.data)), report(claim.data)["differences"]
    changed = [dict(line) for line in lines]
    for line in changed:
        if {tuple(line["first"]), tuple(line["second"])} == set(pair):
            if claim.relation != "=":
                line["first"], line["second"] = line["second"], line["first"]
            else:
                line[claim.measure] = {"mean": 2 * LEVEL, "interval": [LEVEL, 3 * LEVEL]}
    if first in scores and second in scores:
        if claim.relation != "=":
            scores[first], scores[second] = scores[second], scores[first]
        else:
            scores[first] = scores[second] + 2 * LEVEL
    monkeypatch.setitem(globals(), "RESAMPLES", 50)  # enough for what is plainly untrue
    monkeypatch.setitem(globals(), "report", lambda data: {"differences": changed})
    monkeypatch.setitem(globals(), "of_queries", lambda data: scores)
    with pytest.raises(AssertionError, match=re.escape(repr(claim.sentence))):
        check(claim)


@pytest.mark.parametrize(
    ("relation", "found", "expected"),
    [
        ("hardly >", (0.008, 0.006, 0.009), True),
        ("hardly >", (0.02, 0.018, 0.022), False),
        ("hardly >", (0.001, -0.001, 0.003), False),
        (">", (0.02, 0.018, 0.022), True),
        ("=", (-0.004, -0.005, -0.003), True),
        ("=", (-0.006, -0.007, -0.005), False),
    ],
)
def test_a_relation_holds_on_its_side_and_within_its_size(relation, found, expected):
    assert holds(relation, found) is expected
