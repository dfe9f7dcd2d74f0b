"""Who takes part in the fair fight: families and their trials, help, ladders, and what is compared.

Every family has N_TRIALS trials, which labels of a tuning split choose from. Upright digits, views,
histograms as targets and neighbours are open to every family they make sense for.
"""

from itertools import pairwise, product

from methods import Method

SEEDS = (0, 1, 2)
N_TRIALS = 6


def grid(**choices) -> list[Method]:
    """Return one method for each combination."""
    combined = product(*choices.values())
    return [Method(**dict(zip(choices, values, strict=True))) for values in combined]


def by_hand(upright: bool) -> dict[str, list[Method]]:
    word = "upright " if upright else ""
    every = {"upright": [upright]}
    blurs = [0.0, 0.5, 0.75, 1.0, 1.5, 2.0]
    return {
        f"{word}pixels": grid(kind=["pixels"], blur=blurs, **every),
        f"{word}PCA": grid(kind=["pca"], blur=[0.0, 0.5, 1.0], whiten=[False, True], **every),
        f"{word}HOG, PCA": grid(kind=["hog"], cell=[4, 7], orientations=[6, 9, 12], **every),
    }


def viewed(data_name: str, betas: tuple, **more) -> list[Method]:
    """Strengths of views, and two betas; digits also upright, where half the strength was near."""
    low, high = betas
    if data_name == "mnist":
        looks = [(1.0, False, low), (0.5, False, low), (1.0, True, low), (0.5, True, low)]
        looks += [(0.25, True, low), (0.5, True, high)]
    else:
        looks = [(views, False, low) for views in (0.5, 1.0, 1.5)]
        looks += [(views, False, high) for views in (0.5, 1.0, 1.5)]
    return [Method(views=v, upright=u, beta=b, **more) for v, u, b in looks]


def without_kl(data_name: str, **more) -> list[Method]:
    """The same looks for what has no noise and no KL term; two learning rates in their place."""
    methods = viewed(data_name, (2e-3, 1e-3), noise=False, **more)
    settings = [m.__dict__ | {"learning_rate": m.beta, "beta": 0.0} for m in methods]
    return [Method(**each) for each in settings]


def contrastive(data_name: str) -> list[Method]:
    looks = [(1.0, False, 0.2, 0), (1.0, False, 0.2, 64), (1.0, False, 0.5, 64)]
    if data_name == "mnist":
        looks += [(0.5, True, 0.2, 64), (0.5, True, 0.5, 64), (1.0, True, 0.2, 64)]
    else:
        looks += [(0.5, False, 0.2, 64), (1.5, False, 0.2, 64), (1.5, False, 0.5, 64)]
    return [
        Method(loss="contrast", views=v, upright=u, temperature=t, head=h) for v, u, t, h in looks
    ]


def families(data_name: str) -> dict[str, list[Method]]:
    digits = data_name == "mnist"
    plain = {"noise": [False], "beta": [0.0], "likelihood": ["bernoulli", "gaussian"]}
    hog = {"target": "hog"}
    looks = [(0.5, True), (1.0, True)] if digits else [(0.5, False), (1.0, False)]
    return {
        **by_hand(False),
        **(by_hand(True) if digits else {}),
        "autoencoder": grid(learning_rate=[1e-3, 2e-3, 4e-3], **plain),
        "VAE": grid(likelihood=["bernoulli", "gaussian"], beta=[1.0, 0.3, 0.1]),
        "view autoencoder": without_kl(data_name),
        "view VAE": viewed(data_name, (0.05, 0.2)),
        "HOG view autoencoder": without_kl(data_name, **hog),
        "HOG view VAE": viewed(data_name, (0.02, 0.1), **hog),
        "HOG view VAE, neighbours": [
            Method(views=v, upright=u, beta=0.1, neighbours=n, **hog)
            for (v, u), n in product(looks, (5, 10, 30))
        ],
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
        for k, rounds in product((10, 30, 50), (1, 2))
    ],
    "graph": [
        {"help": "graph", "dim": dim, "k": k, "power": 3.0, "steps": steps, "share": share}
        for dim, k, steps, share in (
            (24, 10, 48.0, 0.0),
            (24, 15, 48.0, 0.0),
            (16, 10, 48.0, 0.0),
            (24, 10, 16.0, 0.0),
            (24, 10, 48.0, 0.05),
            (24, 10, 48.0, 0.2),
        )
    ],
}
NOT_HELPED = ("binary view VAE, 64 bits", "supervised encoder")
CODED = ("PCA", "HOG, PCA", "upright HOG, PCA", "view VAE", "HOG view VAE")
CODED += ("HOG view VAE, neighbours", "graph view VAE")
BITS = 64

OFF = {"noise": False, "beta": 0.0}
RUNGS = {
    "autoencoder": {"views": 0.0, **OFF},
    "with noise, no views": {"views": 0.0, "beta": 0.0},
    "with noise and KL, no views": {"views": 0.0},
    "with views": OFF,
    "with views and noise": {"beta": 0.0},
    "with views, noise and KL": {},
}
LADDERS = {
    "pixels": ("view VAE", {**RUNGS, "with consistency too": {"consistency": 0.3}}),
    "HOG": (
        "HOG view VAE",
        {**RUNGS, "with neighbours too": {"neighbours": 10}},
    ),
    "neighbours": (
        "HOG view VAE, neighbours",
        {"with views and neighbours": OFF, "with views, neighbours, noise and KL": {}},
    ),
}


def steps(ladder: str, *names: str) -> list[tuple]:
    """Return neighbouring rungs, the higher first."""
    return [((ladder, high), (ladder, low)) for low, high in pairwise(names)]


def methods(first: str, *others: str) -> list[tuple]:
    return [(("methods", first), ("methods", other)) for other in others]


CLIMB = ("autoencoder", "with views", "with views and noise", "with views, noise and KL")
STILL = ("autoencoder", "with noise, no views", "with noise and KL, no views")
PAIRS = [
    *steps("pixels", *CLIMB, "with consistency too"),
    *steps("pixels", *STILL),
    *steps("HOG", *CLIMB, "with neighbours too"),
    *steps("HOG", *STILL),
    *steps("neighbours", "with views and neighbours", "with views, neighbours, noise and KL"),
    *methods("VAE", "pixels", "PCA", "HOG, PCA", "autoencoder"),
    *methods("view VAE", "pixels", "PCA", "HOG, PCA", "upright HOG, PCA", "view autoencoder"),
    *methods("view VAE", "contrastive encoder", "VAE"),
    *methods("HOG view VAE", "HOG, PCA", "upright HOG, PCA", "HOG view autoencoder", "view VAE"),
    *methods("HOG view VAE", "contrastive encoder"),
    *methods("HOG view VAE, neighbours", "HOG, PCA", "upright HOG, PCA", "contrastive encoder"),
    *methods("HOG view VAE, neighbours", "HOG view VAE", "supervised encoder"),
]
