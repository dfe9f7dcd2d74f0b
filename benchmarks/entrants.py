"""Who takes part in the fair fight: families and their trials, help, ladders, and what is compared.

Every family has N_TRIALS trials, which labels of a tuning split choose from. Upright digits, views,
histograms and graphs as targets are open to every family they make sense for. One inequality is
left: the ranges of the trials were set after some twenty runs by hand on the same split, most of
them of VAEs that draw histograms or graphs, two of a contrastive encoder.
"""

from itertools import pairwise, product

from methods import Method

SEEDS = (0, 1, 2)
N_TRIALS = 4
EPOCHS = 6  # of every network, in its trials and in the comparison


def grid(**choices) -> list[Method]:
    """Return one method for each combination."""
    combined = product(*choices.values())
    return [Method(**dict(zip(choices, values, strict=True))) for values in combined]


def by_hand(upright: bool) -> dict[str, list[Method]]:
    word = "upright " if upright else ""
    every = {"upright": [upright]}
    return {
        f"{word}pixels": grid(kind=["pixels"], blur=[0.0, 0.5, 1.0, 1.5], **every),
        f"{word}PCA": grid(kind=["pca"], blur=[0.0, 1.0], whiten=[False, True], **every),
        f"{word}HOG, PCA": grid(kind=["hog"], cell=[4, 7], orientations=[9, 12], **every),
    }


def looks(data_name: str) -> list[dict]:
    """Return the images and views of the trials: digits as they are and upright."""
    if data_name == "mnist":
        return [{"views": v, "upright": u} for u, v in product((False, True), (0.5, 1.0))]
    return [{"views": v} for v in (0.5, 1.0, 1.5, 2.0)]


def viewed(data_name: str, betas: tuple[float, float], **more) -> list[Method]:
    """Two of the looks with each of two betas: the larger views come with the smaller beta too."""
    chosen = looks(data_name)
    if data_name == "mnist":
        pairs = [(chosen[0], betas[0]), (chosen[1], betas[1])]
        pairs += [(chosen[2], betas[0]), (chosen[2], betas[1])]
    else:
        pairs = list(product(chosen[:2], betas))
    return [Method(**look, beta=beta, **more) for look, beta in pairs]


def without_kl(data_name: str, **more) -> list[Method]:
    return [Method(**look, noise=False, beta=0.0, **more) for look in looks(data_name)]


def drawing_graphs(data_name: str) -> list[Method]:
    """What is drawn: the graph descriptor alone, or with histograms; and two betas."""
    look = {"views": 0.5, "upright": True} if data_name == "mnist" else {"views": 1.0}
    both = {"target": "hog+graph", **look}
    return [
        Method(target="graph", beta=0.1, **look),
        Method(graph_scale=0.3, beta=0.1, **both),
        Method(graph_scale=0.3, beta=0.02, **both),
        Method(graph_scale=1.0, beta=0.1, **both),
    ]


def contrastive(data_name: str) -> list[Method]:
    """With SimCLR's head and without it, at two temperatures; the looks of the others."""
    upright = data_name == "mnist"
    settings = [(0.5, 0.2, 0), (0.5, 0.2, 64), (1.0, 0.2, 64), (1.0, 0.5, 64)]
    return [
        Method(loss="contrast", views=v, upright=upright, temperature=t, head=h)
        for v, t, h in settings
    ]


def families(data_name: str) -> dict[str, list[Method]]:
    likelihoods = ["bernoulli", "gaussian"]
    plain = {"noise": [False], "beta": [0.0], "likelihood": likelihoods}
    return {
        **by_hand(False),
        **(by_hand(True) if data_name == "mnist" else {}),
        "autoencoder": grid(learning_rate=[1e-3, 2e-3], **plain),
        "VAE": grid(likelihood=likelihoods, beta=[1.0, 0.1]),
        "view autoencoder": without_kl(data_name),
        "view VAE": viewed(data_name, (0.05, 0.2)),
        "HOG view autoencoder": without_kl(data_name, target="hog"),
        "HOG view VAE": viewed(data_name, (0.02, 0.1), target="hog"),
        "graph view VAE": drawing_graphs(data_name),
        "contrastive encoder": contrastive(data_name),
        "binary view VAE, 64 bits": viewed(data_name, (0.05, 0.2), bits=True),
        "supervised encoder": without_kl(data_name, loss="labels"),
    }


FAMILIES = {name: families(name) for name in ("mnist", "fashion-mnist")}

# Help that any descriptor can have. One setting for all: the best on average over HELP_FAMILIES.
HELP_FAMILIES = ("HOG, PCA", "view VAE", "HOG view VAE")
HELP_TRIALS = {
    "expanded": [
        {"help": "expanded", "k": k, "power": 3.0, "rounds": rounds}
        for k, rounds in product((10, 30), (1, 2))
    ],
    "graph": [
        {"help": "graph", "dim": dim, "k": 10, "power": 3.0, "steps": steps, "share": share}
        for dim, steps, share in (
            (24, 48.0, 0.0),
            (24, 16.0, 0.0),
            (24, 48.0, 0.05),
            (24, 16.0, 0.2),
        )
    ],
}
NOT_HELPED = ("binary view VAE, 64 bits", "supervised encoder")
CODED = ("PCA", "HOG, PCA", "upright HOG, PCA", "view VAE", "HOG view VAE", "graph view VAE")
BITS = 64

OFF = {"noise": False, "beta": 0.0}
ARTICLE = {"architecture": "dense", "likelihood": "bernoulli", "beta": 1.0}
RUNGS = {
    "autoencoder": {"views": 0.0, **OFF},
    "with noise": {"views": 0.0, "beta": 0.0},
    "with noise and KL": {"views": 0.0},
    "with views": OFF,
    "with views and noise": {"beta": 0.0},
    "with views, noise and KL": {},
}
LADDERS = {
    "drawing pixels": ("view VAE", RUNGS | {"with consistency too": {"consistency": 0.3}}),
    "drawing HOG": ("HOG view VAE", RUNGS),
    "drawing the graph": (
        "graph view VAE",
        {name: RUNGS[name] for name in ("with views", "with views, noise and KL")},
    ),
    "dense, drawing pixels": (
        "VAE",
        {
            "autoencoder": ARTICLE | OFF,
            "with noise and KL": ARTICLE,
            "a tenth of the KL": ARTICLE | {"beta": 0.1},
        },
    ),
}


def steps(ladder: str, *names: str) -> list[tuple]:
    """Return neighbouring rungs, the higher first."""
    return [((ladder, high), (ladder, low)) for low, high in pairwise(names)]


def duels(first: str, *others: str) -> list[tuple]:
    return [(("methods", first), ("methods", other)) for other in others]


CLIMB = ("autoencoder", "with views", "with views and noise", "with views, noise and KL")
STILL = ("autoencoder", "with noise", "with noise and KL")
BY_HAND = ("pixels", "PCA", "HOG, PCA", "upright HOG, PCA")
PAIRS = [
    *steps("drawing pixels", *CLIMB, "with consistency too"),
    *steps("drawing pixels", *STILL),
    *steps("drawing HOG", *CLIMB),
    *steps("drawing HOG", *STILL),
    *steps("drawing the graph", "with views", "with views, noise and KL"),
    *steps("dense, drawing pixels", "autoencoder", "with noise and KL"),
    *steps("dense, drawing pixels", "autoencoder", "a tenth of the KL"),
    # What is drawn, and nothing else: neither noise nor KL term.
    (("drawing HOG", "autoencoder"), ("drawing pixels", "autoencoder")),
    (("drawing HOG", "with views"), ("drawing pixels", "with views")),
    *duels("VAE", *BY_HAND, "autoencoder"),
    *duels("view VAE", *BY_HAND, "view autoencoder", "contrastive encoder", "VAE"),
    *duels("HOG view VAE", *BY_HAND, "HOG view autoencoder", "contrastive encoder", "view VAE"),
    *duels("graph view VAE", *BY_HAND, "contrastive encoder", "HOG view VAE", "supervised encoder"),
]
