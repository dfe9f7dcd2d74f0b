"""The exercises of the page Many modalities."""

import numpy as np

from vae_tutorial.exercises._bank import exercise

PAGE = "many-modalities"


def _product(means, log_vars, prior=1.0):
    precision = np.exp(-log_vars)
    total = prior + precision.sum(0)
    return (precision * means).sum(0) / total, -np.log(total)


@exercise(
    PAGE,
    title="A product of experts",
    level="standard",
    minutes=10,
    statement=(
        "Rows of `means` and `log_vars` are experts. Multiply their Gaussians and the standard "
        "normal prior. Return mean and log-variance of the product."
    ),
    example="product_of_experts(np.array([[2.0]]), np.array([[0.0]]))",
    cases=(
        "product_of_experts(np.array([[2.0], [4.0]]), np.array([[0.0], [0.0]]))",
        "product_of_experts(np.array([[3.0, 0.0, 1.0], [0.0, 3.0, 1.0], [3.0, 3.0, 4.0]]), "
        "np.zeros((3, 3)))",
        "product_of_experts(np.array([[1.0, 2.0, 3.0]]), np.array([[1.0, 0.0, -1.0]]))",
    ),
    why="Precisions add, the prior's is 1, and each mean weighs as much as its expert is sure.",
    reasoning=(
        "Multiplying densities adds their exponents, and each exponent is a parabola, "
        "$-\\tfrac12 T_i (z - \\mu_i)^2$ with precision $T_i = 1 / \\sigma_i^2 = e^{-\\log "
        "\\sigma_i^2}$. The sum is a parabola again: its precision is $\\sum_i T_i$, and its "
        "mean is $\\sum_i T_i \\mu_i / \\sum_i T_i$. The prior is one more expert with mean 0 "
        "and precision 1: it adds nothing above the line and 1 below it. The log-variance is "
        "the negative logarithm of the precision. A missing expert is left out of the sums, "
        "which is what makes the rule fit for missing modalities."
    ),
    hints=(
        "How do you combine two measurements of the same thing, one exact and one rough? And who "
        "is the one expert that stands in no row?",
        "Precisions, one over the variances, add up; the prior brings a precision of 1 and a "
        "mean of 0. The mean of the product is the mean of the experts, weighted by precision.",
        "With `precisions = np.exp(-log_vars)`, the total is 1 plus their sum over axis 0. The "
        "mean is the sum of `precisions * means`, divided by the total; the log-variance is "
        "minus the logarithm of the total.",
    ),
    draw=lambda rng, size: (rng.normal(0, 2, (size + 1, 2)), rng.normal(0, 1, (size + 1, 2))),
    mistakes={
        "You add log-variances up. It is the precisions that add.": (
            lambda m, v: (_product(m, v)[0], v.sum(0)),
            lambda m, v: (m.prod(0), v.sum(0)),
            lambda m, v: (m.sum(0), v.sum(0)),
        ),
        "The prior is missing: it adds 1 to the precision.": (lambda m, v: _product(m, v, 0.0)),
        "You return the variance. Return its logarithm.": (
            lambda m, v: (_product(m, v)[0], np.exp(_product(m, v)[1]))
        ),
        "You take the plain mean of the means. Weigh them by their precisions.": (
            lambda m, v: (m.mean(0), _product(m, v)[1]),
            lambda m, v: (m.sum(0) / (1 + len(m)), _product(m, v)[1]),
        ),
        "You weigh by the variances: the unsure expert then speaks loudest.": (
            lambda m, v: ((np.exp(v) * m).sum(0) / (1 + np.exp(v).sum(0)), _product(m, v)[1])
        ),
        "The sign of the log-variance is wrong: that is the log-precision.": (
            lambda m, v: (_product(m, v)[0], -_product(m, v)[1])
        ),
        "You return the precision, or its inverse, in place of the log-variance.": (
            lambda m, v: (_product(m, v)[0], np.exp(-_product(m, v)[1]))
        ),
        "You return the logarithm of the standard deviation. That of the variance was asked for.": (
            lambda m, v: (_product(m, v)[0], _product(m, v)[1] / 2),
            lambda m, v: (_product(m, v)[0], np.exp(_product(m, v)[1] / 2)),
        ),
        "The prior is missing in one of the two: it counts in mean and variance.": (
            lambda m, v: (_product(m, v, 0.0)[0], _product(m, v)[1]),
            lambda m, v: (_product(m, v)[0], _product(m, v, 0.0)[1]),
        ),
        "You do not divide the weighted means by the total precision.": (
            lambda m, v: ((np.exp(-v) * m).sum(0), _product(m, v)[1])
        ),
        "You average the log-variances. It is the precisions that add.": (
            lambda m, v: (_product(m, v)[0], v.mean(0)),
            lambda m, v: (m.mean(0), v.mean(0)),
            lambda m, v: (m.mean(0), np.log(np.exp(v).mean(0))),
        ),
        "You add variances. It is the precisions, one over the variances, that add.": (
            lambda m, v: (_product(m, v)[0], np.log(1 + np.exp(v).sum(0))),
            lambda m, v: (
                (np.exp(v) * m).sum(0) / (1 + np.exp(v).sum(0)),
                np.log(1 + np.exp(v).sum(0)),
            ),
            lambda m, v: (
                (np.exp(v) * m).sum(0) / (1 + np.exp(v).sum(0)),
                -np.log(1 + np.exp(v).sum(0)),
            ),
            lambda m, v: (m.sum(0), np.log(1 + np.exp(v).sum(0))),
        ),
        "The prior has mean 0: it adds nothing to the sum of weighted means.": (
            lambda m, v: (
                (1 + (np.exp(-v) * m).sum(0)) / (1 + np.exp(-v).sum(0)),
                _product(m, v)[1],
            )
        ),
        "You take -log_vars for the precision. It is the exponential of that.": (
            lambda m, v: ((-v * m).sum(0) / (1 - v.sum(0)), -np.log(1 - v.sum(0))),
            lambda m, v: ((v * m).sum(0) / (1 + v.sum(0)), -np.log(1 + v.sum(0))),
            lambda m, v: ((m / v).sum(0) / (1 + (1 / v).sum(0)), -np.log(1 + (1 / v).sum(0))),
        ),
        "You count the prior once for each expert. It is there once.": (
            (
                lambda m, v: _product(m, v, float(len(m))),
                lambda m, v: (
                    (m * (1 + np.exp(-v))).sum(0) / (1 + np.exp(-v)).sum(0),
                    -np.log((1 + np.exp(-v)).sum(0)),
                ),
            )
        ),
        "You read log_vars as logarithms of standard deviations.": (
            lambda m, v: _product(m, 2 * v),
            lambda m, v: _product(m, v / 2),
        ),
        "You add the means without weights. Weigh each by its precision.": (
            (
                lambda m, v: (m.sum(0), _product(m, v)[1]),
                lambda m, v: (m.sum(0) / (1 + np.exp(-v).sum(0)), _product(m, v)[1]),
            )
        ),
        "You multiply over axis 1, the dimensions. Experts are the rows, axis 0.": (
            lambda m, v: _product(m.T, v.T)
        ),
        "You average the precisions. A product adds them.": (
            lambda m, v: (
                (np.exp(-v) * m).mean(0) / (1 + np.exp(-v).mean(0)),
                -np.log(1 + np.exp(-v).mean(0)),
            )
        ),
        "You multiply the precisions. Densities multiply, and their precisions add.": (
            lambda m, v: (
                (m * np.exp(-v)).sum(0) / (1 + np.exp(-v).prod(0)),
                -np.log(1 + np.exp(-v).prod(0)),
            ),
        ),
    },
)
def product_of_experts(means, log_vars):
    precisions = np.exp(-log_vars)
    total = 1 + precisions.sum(axis=0)
    return (precisions * means).sum(axis=0) / total, -np.log(total)


@exercise(
    PAGE,
    title="Pool a clip",
    level="warm-up",
    minutes=5,
    statement=(
        "`descriptors` has shape (clips, frames, numbers). Return one descriptor for each clip: "
        "the mean over its frames."
    ),
    example="pool_clip(np.array([[[0.0, 2.0], [4.0, 2.0]]]))",
    cases=(
        "pool_clip(np.array([[[1.0], [2.0], [6.0]]]))",
        "pool_clip(np.arange(12.0).reshape(2, 3, 2) ** 2)",
    ),
    why="What stays the same over time survives the mean; what moves is averaged away.",
    reasoning=(
        "The frames are the second axis, so the mean over `axis=1` leaves (clips, numbers). In "
        "the example the first number moves between the two frames and is averaged; the second "
        "stays and survives. The mean, unlike the sum, does not grow with the length of a clip, "
        "so short and long clips can be compared."
    ),
    hints=(
        "Three axes: clips, frames, numbers. Which of them should be gone afterwards?",
        "The frames, and they are the second axis. A mean along an axis removes it.",
        "Axes count from 0. Call `descriptors.mean` with the number of the second one.",
    ),
    draw=lambda rng, size: (rng.normal(0, 1, (2, 2 + size, 3)),),
    mistakes={
        "You take the first and the last frame alone. All of them count.": (
            lambda d: (d[:, 0] + d[:, -1]) / 2,
        ),
        "You take the maximum over the frames.": (
            lambda d: d.max(1),
            lambda d: (d.max(1) + d.min(1)) / 2,
        ),
        "You take the sum. Long clips would then lie far out.": (lambda d: d.sum(1)),
        "You return the first frame only.": (lambda d: d[:, 0]),
        "You pool over axis 2, the numbers of a frame. The frames are axis 1.": (
            lambda d: d.mean(2)
        ),
        "You return the median over the frames.": (lambda d: np.median(d, axis=1)),
        "You average over axis 0, the clips. The frames are axis 1.": lambda d: d.mean(0),
        "You average over frames and numbers. Each number keeps its own mean.": (
            lambda d: d.mean((1, 2)),
        ),
        "You average over everything. Each clip has its own descriptor.": (
            lambda d: d.mean(),
            lambda d: d.mean((0, 1)),
        ),
        "You return one frame. Take the mean over all.": (
            lambda d: d[:, -1],
            lambda d: d[:, d.shape[1] // 2],
            lambda d: d[:, ::2].mean(1),
            lambda d: d[:, 1:].mean(1),
            lambda d: d[:, :-1].mean(1),
        ),
        "You put the frames side by side. Their mean was asked for.": (
            lambda d: d.reshape(len(d), -1)
        ),
        "You divide by the wrong number. Divide by that of the frames.": (
            lambda d: d.sum(1) / len(d),
            lambda d: d.sum(1) / d.shape[2],
            lambda d: d.sum(1) / (d.shape[1] - 1),
            lambda d: d.sum(1) / (d.shape[1] + 1),
        ),
        "You scale the mean to length 1. The mean itself was asked for.": (
            lambda d: d.mean(1) / np.linalg.norm(d.mean(1), axis=1, keepdims=True)
        ),
        "You return the minimum over the frames.": lambda d: d.min(1),
        "You average absolute values. Signs count.": (
            lambda d: np.abs(d).mean(1),
            lambda d: np.abs(d.mean(1)),
        ),
        "You return how much the frames vary. Their mean was asked for.": (
            lambda d: d.std(1),
            lambda d: d.var(1),
        ),
        "You divide whole numbers by //, which rounds down.": (lambda d: d.sum(1) // d.shape[1],),
        "You divide by the number of frames of the example. Take it from the shape.": (
            lambda d: d.sum(1) / 2,
        ),
    },
)
def pool_clip(descriptors):
    return descriptors.mean(axis=1)
