"""The exercises of the page Training."""

import numpy as np

from vae_tutorial.exercises._bank import exercise, seen

PAGE = "training"


def _posterior_means(rng, size):
    spread = np.array([0.05, 0.3, 1.0, 2.0, 3.0, 0.0])  # of each dimension
    mean = rng.choice([-6.0, 0.0, 6.0], 6)
    return rng.normal(0, 1, (20 + size, 6)) * spread + mean, (0.01, 0.5, 2.0)[size % 3]


@exercise(
    PAGE,
    title="Count the active units",
    level="standard",
    minutes=10,
    statement=(
        "`means` holds the posterior means, one row an image. How many latent dimensions vary "
        "between images with a variance above `threshold`?"
    ),
    example="active_units(np.array([[0.0, 5.0], [2.0, 5.0], [4.0, 5.0]]), 0.01)",
    cases=(
        "active_units(np.array([[0.0, 5.0], [2.0, 5.0]]), 3.0)",
        "active_units(np.array([[0.0, 5.0, -5.0], [4.0, 5.0, -5.0]]), 3.0)",
        "active_units(np.array([[0.0], [2.0]]), 1.0)",
        "active_units(np.array([[0.0], [2.0]]), 1.5)",
        "active_units(np.array([[0.0], [2.0]]), 2.0)",
        "active_units(np.array([[-9.0, 0.0], [-9.0, 9.0], [-9.0, 0.0]]), 4.0)",
    ),
    also=(lambda means, t: int((means.var(axis=0, ddof=1) > t).sum()),),
    why="A dimension that says the same of every image carries nothing, whatever value it says.",
    reasoning=(
        "A dimension is of use if its posterior mean differs from image to image. "
        "`means.var(axis=0)` goes down the columns: one variance for each latent dimension, "
        "taken over images. A collapsed dimension has the same mean for every image. Whether "
        "that mean is 0 or 5 does not matter, which is why the size of the means is the wrong "
        "thing to look at. {cite:t}`burda2016importance` count a unit as active above a "
        "variance of 0.01. The threshold is a convention: a mean that trembles a little passes "
        "it, so look at the KL divergence of each dimension as well, as the chapter did."
    ),
    hints=(
        "A dimension that says the same of every image is of no use, however large its number "
        "is. What measures how much a number differs from image to image?",
        "The variance over images, one for each dimension. Images are the rows, so it is taken "
        "along axis 0. Then count how many exceed the threshold.",
        "`means.var(axis=0) > threshold` is True for each active dimension. Sum it.",
    ),
    draw=_posterior_means,
    mistakes={
        "You take the variance along the wrong axis: over the dimensions of each image.": (
            lambda means, t: int((means.var(axis=1) > t).sum()),
            lambda means, t: int((means.std(axis=1) > t).sum()),
        ),
        "You compare the standard deviation with the threshold. It is meant for the variance.": (
            lambda means, t: int((means.std(axis=0) > t).sum())
        ),
        "You look at how large the means are, not at how much they vary.": (
            lambda means, t: int(((means**2).mean(axis=0) > t).sum()),
            lambda means, t: int((means.mean(axis=0) ** 2 > t).sum()),
            lambda means, t: int(((means**2).sum(axis=0) > t).sum()),
        ),
        "You return the share of active dimensions. Return their number.": (
            lambda means, t: (means.var(axis=0) > t).mean()
        ),
        "You compare the mean with the threshold. A dimension is active if it varies.": (
            lambda means, t: int((means.mean(axis=0) > t).sum()),
            lambda means, t: int((np.abs(means.mean(axis=0)) > t).sum()),
            lambda means, t: int((np.abs(means).mean(axis=0) > t).sum()),
            lambda means, t: int((means.sum(axis=0) > t).sum()),
        ),
        "You compare the range with the threshold. It is meant for the variance.": (
            lambda means, t: int((np.ptp(means, axis=0) > t).sum())
        ),
        "You compare the largest value with the threshold. It is meant for the variance.": (
            lambda means, t: int((means.max(axis=0) > t).sum()),
            lambda means, t: int((np.abs(means).max(axis=0) > t).sum()),
        ),
        "You leave the threshold out, or write 0.01 in its place. Use the one that is given.": (
            lambda means, t: int((means.var(axis=0) > 0.01).sum()),
            lambda means, t: int((means.var(axis=0) > 0).sum()),
        ),
        "You count the dimensions that are not active.": (
            lambda means, t: int((means.var(axis=0) <= t).sum()),
            lambda means, t: int((means.var(axis=0) < t).sum()),
        ),
        "You count a variance that equals the threshold. Above means larger.": (
            (
                lambda means, t: int((means.var(axis=0) >= t).sum()),
                lambda means, t: int((means.var(axis=0) == t).sum()),
            )
        ),
        "You count all dimensions, active or not: len counts False as well. Use sum.": (
            lambda means, t: means.shape[1],
            lambda means, t: means.shape[0],
        ),
        "You return which dimensions are active. Return how many.": (
            lambda means, t: means.var(axis=0) > t,
            lambda means, t: np.flatnonzero(means.var(axis=0) > t),
        ),
        "You take one variance of all numbers. Each dimension has its own: axis=0.": (
            lambda means, t: int(means.var() > t),
            lambda means, t: int(means.var(axis=0).mean() > t),
            lambda means, t: bool((means.var(axis=0) > t).any()),
            lambda means, t: int(means.var(axis=0).sum() > t),
        ),
        "You count single values above the threshold. Take the variance of each dimension.": (
            lambda means, t: int((means > t).sum()),
            lambda means, t: int((np.abs(means) > t).sum()),
        ),
        "You add the variances up. Compare each with the threshold, and count.": (
            lambda means, t: means.var(axis=0).sum(),
            lambda means, t: means.var(axis=0)[means.var(axis=0) > t].sum(),
            lambda means, t: means.var(axis=0).mean(),
        ),
        "You add up squared deviations and do not divide by the number of images.": (
            lambda means, t: int((means.var(axis=0) * len(means) > t).sum()),
        ),
        "You subtract one mean of all numbers. Each dimension has its own mean.": (
            lambda means, t: int((((means - means.mean()) ** 2).mean(axis=0) > t).sum()),
        ),
        "You average absolute deviations. A variance averages their squares.": (
            lambda means, t: int((np.abs(means - means.mean(axis=0)).mean(axis=0) > t).sum()),
        ),
    },
)
def active_units(means, threshold):
    return int((means.var(axis=0) > threshold).sum())


def _epochs(rng, size):
    epochs = int(rng.integers(3, 4 + size))
    # Now at the start, now on the way, now after it.
    return (epochs + size, 0, int(rng.integers(1, epochs)))[size % 3], epochs


@exercise(
    PAGE,
    title="A warm-up of the KL term",
    level="warm-up",
    minutes=5,
    statement=(
        "Return the weight of the KL term: it rises in a straight line from 0 at epoch 0 to 1 "
        "at epoch `epochs`, and stays at 1."
    ),
    example="warmup_weight(5, 20)",
    cases=(
        "warmup_weight(0, 10)",
        "warmup_weight(10, 10)",
        "warmup_weight(15, 10)",
        "warmup_weight(1, 2)",
        "warmup_weight(9, 10)",
        "warmup_weight(25, 10)",
    ),
    why="The price comes in gradually, so the latent is in use before it has to pay in full.",
    reasoning=(
        "A straight line through 0 at epoch 0 and 1 at epoch `epochs` is `epoch / epochs`; the "
        "minimum with 1 keeps it there afterwards, so that training ends on the true ELBO. If "
        "the weight went on rising, the model would become a beta-VAE with an ever larger beta. "
        "Early on the latent is nearly free, and the decoder learns to rely on it. When the "
        "full price comes, giving it up would cost more reconstruction than it saves."
    ),
    hints=(
        "Draw it: a straight line that starts at 0, and a level piece that follows. Where do the "
        "two meet?",
        "The line is `epoch / epochs`; it reaches 1 when the two are equal. From there on the "
        "weight must not follow it any further.",
        "Take the smaller of two numbers: the line, and the height at which it has to stop.",
    ),
    draw=_epochs,
    mistakes={
        "Your weight goes on rising after the warm-up. Cap it at 1.": (lambda e, n: e / n),
        "Off by one: at epoch 0 the weight should be 0.": (
            lambda e, n: min(1.0, (e + 1) / n),
            lambda e, n: (e + 1) / n,
            lambda e, n: min(1.0, (e + 1) / (n + 1)),
            lambda e, n: (e + 1) / (n + 1),
        ),
        "You count epochs. Divide by the number of epochs of the warm-up.": (
            lambda e, n: min(e, n),
            lambda e, n: min(1, e),
            lambda e, n: e,
        ),
        "You divide whole numbers by //, and they go on rising after the warm-up.": (
            lambda e, n: e // n,
        ),
        "Your weight stops at another height, or is there too early. It reaches 1 at `epochs`.": (
            lambda e, n: min(1.0, 2 * e / n),
            lambda e, n: min(1.0, e / (2 * n)),
        ),
        "Your weight jumps from 0 to 1, as by // or by an if with no slope. It rises in a straight "
        "line.": seen(lambda want, got, e, n: 0 < e < n and got in (0, 1)),
        "Your weight falls. It should rise from 0 to 1.": (
            lambda e, n: max(0.0, 1 - e / n),
            lambda e, n: 1 - e / n,
            lambda e, n: 1 - min(1.0, e / n),
            lambda e, n: max(0.0, (n - e) / n),
        ),
        "Off by one: at epoch `epochs`, and not before, the weight reaches 1.": (
            lambda e, n: min(1.0, e / (n - 1)),
            lambda e, n: min(1.0, e / (n + 1)),
            lambda e, n: max(0.0, min(1.0, (e - 1) / n)),
            lambda e, n: min(1.0, (e - 1) / n),
            lambda e, n: (e - 1) / n if e < n else 1.0,
            lambda e, n: (e - 1) / (n - 1) if e < n else 1.0,
        ),
        "Your weight starts again after the warm-up. It stays at 1.": (lambda e, n: (e % n) / n,),
        "You take the larger of the two: the weight is never below 1. Take the smaller.": (
            lambda e, n: max(1.0, e / n)
        ),
        "Yours is upside down: divide epoch by epochs.": (
            lambda e, n: min(1.0, n / e),
            lambda e, n: n / e,
        ),
        "You return 0 after the warm-up, or nothing that stays at 1.": (
            lambda e, n: e / n if e < n else 0.0,
            lambda e, n: e / n if e <= n else 0.0,
        ),
        "Your weight is 1 from the start.": (lambda e, n: 1.0),
        "You return a per cent. The weight goes from 0 to 1.": (lambda e, n: 100 * min(1.0, e / n)),
        "Your weight is the same whatever the epoch is.": (
            lambda e, n: 0.25,
            lambda e, n: 0.5,
            lambda e, n: 0.0,
        ),
        "You divide by 20, the number of the example.": (
            lambda e, n: e / 20,
            lambda e, n: min(1.0, e / 20),
        ),
        "Your cap is another one. The weight rises to 1 and stays there.": (
            lambda e, n: min(0.99, e / n),
            lambda e, n: min(0.9, e / n),
            lambda e, n: min(0.5, e / n),
        ),
        "Your weight does not rise in a straight line.": seen(lambda want, got, e, n: 0 < got < 1),
        "You subtract, or take a power. Divide epoch by epochs.": (
            lambda e, n: min(1, n - e),
            lambda e, n: np.exp(e - n),
            lambda e, n: n - e,
        ),
        "You return the weights of all epochs. One was asked for.": (
            lambda e, n: [min(1.0, i / n) for i in range(e + 1)],
            lambda e, n: np.linspace(0, 1, n),
            lambda e, n: np.linspace(0, 1, n + 1),
            lambda e, n: [min(1.0, i / n) for i in range(n)],
        ),
    },
)
def warmup_weight(epoch, epochs):
    return min(1.0, epoch / epochs)


@exercise(
    PAGE,
    title="The beta that nobody wrote",
    level="standard",
    minutes=10,
    statement=(
        "A program takes the *mean* of the reconstruction loss over `n_pixels` pixels and the "
        "*mean* of the KL divergence over `latent_dim` dimensions, and minimises their sum. Up "
        "to a constant factor that is the negative ELBO with a weight beta on its KL term. "
        "Return this beta."
    ),
    example="equivalent_beta(784, 32)",
    cases=(
        "equivalent_beta(4, 2)",
        "equivalent_beta(3, 2)",
        "equivalent_beta(6, 6)",
    ),
    why=(
        "Multiplying the whole loss by n_pixels restores the sum over pixels and leaves the KL "
        "term, summed over dimensions, with n_pixels / latent_dim."
    ),
    reasoning=(
        "Write $R$ for the reconstruction loss summed over $n$ pixels and $K$ for the divergence "
        "summed over $d$ dimensions. The program minimises $R / n + K / d$. A constant factor "
        "does not move the minimum, so multiply by $n$: $R + (n / d) K$. Compare with $R + "
        "\\beta K$. The example has the size of an MNIST image and of the article's latent: "
        "the latent is charged many times its price, although nobody has written a beta. That it "
        "collapses is then no surprise."
    ),
    hints=(
        "Write the loss with sums: R for the reconstruction summed over the pixels, K for the "
        "divergence summed over the dimensions. What does the program minimise?",
        "It minimises R divided by the number of pixels, plus K divided by the number of "
        "dimensions. A constant factor moves no minimum, so multiply until R stands alone. What "
        "stands before K now?",
        "Multiply both terms by `n_pixels`. The first becomes R; the factor that K has then is "
        "beta.",
    ),
    draw=lambda rng, size: (int(rng.integers(30, 100 * size)), int(rng.integers(2, 30))),
    mistakes={
        "Yours is upside down. A mean over many pixels makes the reconstruction light, so the KL "
        "term becomes heavy.": lambda n, d: d / n,
        "You left out that the KL divergence is averaged too: divide by latent_dim.": (
            lambda n, d: n
        ),
        "You multiply by latent_dim. A mean over the dimensions makes the KL term lighter, so "
        "divide.": lambda n, d: n * d,
        "Beta is 1 only where both terms are sums. Here both are means, over different numbers.": (
            lambda n, d: 1.0
        ),
        "You divide whole numbers by //, which rounds the result down.": lambda n, d: n // d,
        "That is the factor of one term alone. Beta is the ratio of both.": (
            lambda n, d: 1 / d,
            lambda n, d: 1 / n,
            lambda n, d: d,
        ),
        "You subtract, or add. The two means differ by a factor: divide.": (
            lambda n, d: n - d,
            lambda n, d: n + d,
            lambda n, d: n / (n + d),
            lambda n, d: d / (n + d),
            lambda n, d: 1 / n + 1 / d,
            lambda n, d: 1 / d - 1 / n,
        ),
        "You take a logarithm. Beta is the ratio itself.": lambda n, d: np.log(n / d),
        "You take a root. Both means are of plain sums.": lambda n, d: (n / d) ** 0.5,
        "You square the ratio.": (
            lambda n, d: (n / d) ** 2,
            lambda n, d: (d / n) ** 2,
        ),
        "You count one half, or twice. Both terms keep the constants they have.": (
            lambda n, d: n / (2 * d),
            lambda n, d: 2 * n / d,
        ),
        "That is both factors multiplied. Beta is their ratio.": lambda n, d: 1 / (n * d),
    },
)
def equivalent_beta(n_pixels, latent_dim):
    return n_pixels / latent_dim


@exercise(
    PAGE,
    title="Free bits",
    level="standard",
    minutes=10,
    statement=(
        "`kl` holds the divergence of every image and latent dimension. One remedy against "
        "collapse does not charge a dimension below `floor`: average each dimension over the "
        "batch, replace what is below `floor` by `floor`, and return the sum."
    ),
    example="free_bits(np.array([[0.0, 2.0], [0.2, 4.0]]), 0.5)",
    cases=(
        "free_bits(np.array([[0.0, 2.0], [0.0, 4.0]]), 1.0)",
        "free_bits(np.array([[4.0, 0.0], [2.0, 0.0], [0.0, 6.0]]), 1.0)",
        "free_bits(np.array([[1.0, 1.0, 1.0]]), 3.0)",
        "free_bits(np.array([[0.0, 0.0]]), 1.0)",
    ),
    why=(
        "Below the floor the price is constant, so there is no gradient that would empty the "
        "dimension altogether."
    ),
    reasoning=(
        "Average each dimension over the batch first: the floor is about what a dimension "
        "carries on average, and single images may use it less. `np.maximum` lifts the quiet "
        "dimensions to the floor. There the charge is constant and its gradient 0, so the "
        "optimiser gains nothing by emptying the dimension further. Above the floor the full "
        "price applies. The floor holds for each dimension: on the sum, one busy dimension "
        "would pay for all the empty ones."
    ),
    hints=(
        "There are three steps: average, lift, add up. In which order, and along which axis is "
        "the average?",
        "The floor is about what a dimension carries on average, so the batch, axis 0, comes "
        "first. Then what is below the floor is replaced by it, dimension by dimension. The sum "
        "over the dimensions comes last.",
        "Take `kl.mean(axis=0)`, compare it with the floor by `np.maximum`, and sum what comes "
        "out.",
    ),
    draw=lambda rng, size: (rng.gamma(0.5, 1, (3 + size, 4)), float(rng.uniform(0.3, 0.7))),
    mistakes={
        "You take the smaller of the two. That caps the price from above.": (
            lambda kl, f: np.minimum(kl.mean(0), f).sum()
        ),
        "You take all dimensions together. Each has its own mean, and its own floor.": (
            lambda kl, f: max(kl.mean(), f),
            lambda kl, f: max(kl.mean(), f) * kl.shape[1],
        ),
        "You apply the floor to the sum. One busy dimension then pays for all others.": (
            lambda kl, f: max(kl.mean(0).sum(), f),
        ),
        "You apply the floor to each image before averaging. Average over the batch first.": (
            lambda kl, f: np.maximum(kl, f).mean(0).sum()
        ),
        "You take the mean over the dimensions. The divergence is their sum.": (
            lambda kl, f: np.maximum(kl.mean(0), f).mean()
        ),
        "The floor is missing: replace what is below it.": (
            lambda kl, f: kl.mean(0).sum(),
            lambda kl, f: kl.mean(1).sum(),
            lambda kl, f: kl.mean(),
        ),
        "You subtract the floor. Replace what is below it by it.": (
            lambda kl, f: np.maximum(kl.mean(0) - f, 0).sum(),
            lambda kl, f: (kl.mean(0) - f).sum(),
        ),
        "You add the floor. It replaces only what is below it.": (
            lambda kl, f: (kl.mean(0) + f).sum(),
            lambda kl, f: kl.mean(0).sum() + f,
            lambda kl, f: np.maximum(kl.mean(0), f * kl.shape[1]).sum(),
        ),
        "You set to 0, or leave out, what is below the floor. Replace it by the floor.": (
            lambda kl, f: np.where(kl.mean(0) < f, 0, kl.mean(0)).sum()
        ),
        "You sum over the batch. Average each dimension over it.": (
            lambda kl, f: np.maximum(kl.sum(0), f).sum(),
            lambda kl, f: np.maximum(kl, f).sum(),
            lambda kl, f: np.maximum(kl.sum(0), f).mean(),
        ),
        "You apply the floor to each image's sum. Each dimension has a floor of its own.": (
            lambda kl, f: np.maximum(kl.sum(1), f).mean(),
            lambda kl, f: np.maximum(kl.sum(1), f * kl.shape[1]).mean(),
        ),
        "You average over axis 1, the dimensions. The batch is the first axis.": (
            lambda kl, f: np.maximum(kl.mean(1), f).sum(),
            lambda kl, f: np.maximum(kl.mean(1), f).mean(),
        ),
        "You return the dimensions. Add them up.": lambda kl, f: np.maximum(kl.mean(0), f),
        "You count only the dimensions below the floor.": (
            (
                lambda kl, f: f * (kl.mean(0) < f).sum(),
                lambda kl, f: (kl.mean(0) > f).sum(),
                lambda kl, f: (kl.mean(0) < f).sum(),
            )
        ),
        "You average twice, or divide once more by the batch.": (
            lambda kl, f: np.maximum(kl.mean(0), f).sum() / len(kl),
            lambda kl, f: np.maximum(kl.mean(0) / len(kl), f).sum(),
        ),
        "You take the median, or the largest, over the batch. The average was asked for.": (
            lambda kl, f: np.maximum(np.median(kl, axis=0), f).sum(),
            lambda kl, f: np.maximum(kl.max(0), f).sum(),
        ),
        "You return the largest dimension. Add all of them up.": (
            lambda kl, f: np.maximum(kl.mean(0), f).max(),
        ),
    },
)
def free_bits(kl, floor):
    return np.maximum(kl.mean(axis=0), floor).sum()


def _two_losses(rng, size):
    train = 200 - np.cumsum(rng.uniform(1, 6, 3 + size))
    gap = np.cumsum(rng.uniform(-1, 3, 3 + size))
    return train, train + gap, (2.5, 5.0, 60.0)[size % 3]


@exercise(
    PAGE,
    title="When it begins to memorise",
    level="warm-up",
    minutes=5,
    after="training-035",
    statement=(
        "`train` and `held_out` hold the loss of every epoch on seen and on unseen images. Return "
        "the first epoch, counted from 0, whose generalisation gap is above `most` nats; -1 if "
        "there is none."
    ),
    example=(
        "memorises_from(np.array([150.0, 120.0, 100.0]), np.array([151.0, 124.0, 112.0]), 3.0)"
    ),
    cases=(
        "memorises_from(np.array([9.0, 8.0]), np.array([9.0, 9.0]), 5.0)",
        "memorises_from(np.array([9.0, 8.0]), np.array([9.0, 9.0]), 1.0)",
        "memorises_from(np.array([9.0, 4.0, 6.0]), np.array([5.0, 8.0, 8.0]), 3.0)",
        "memorises_from(np.array([5.0, 5.0, 1.0, 1.0]), np.array([9.0, 5.0, 9.0, 6.0]), 2.0)",
        "memorises_from(np.array([7.0, 6.0, 5.0]), np.array([1.0, 6.0, 5.0]), 3.0)",
    ),
    why="argmax finds the first True, and returns 0 as well where there is none: ask any first.",
    reasoning=(
        "The gap is the loss on unseen images minus that on seen ones. `held_out - train > most` "
        "is True in the epochs that exceed the limit. `argmax` of truth values gives the position "
        "of the first True, because True is the largest value. It has a trap: where all are False, "
        "the largest value is False, and the first of these stands at 0. So ask `any()` before. "
        "A loss below the training loss is no memorising, however large the difference, which is "
        "why no absolute value belongs here."
    ),
    hints=(
        "Which of the two losses is larger when a model has learned its images by heart? Subtract "
        "the other one.",
        "Compare the gaps with the limit. The first True of an array is where `argmax` points; "
        "think of what `argmax` says of an array that holds no True.",
        "With `above = held_out - train > most`, it is `above.argmax()` if `above.any()`, else -1.",
    ),
    draw=_two_losses,
    mistakes={
        "Where no epoch is above, you return 0: argmax finds no True and points to the first.": (
            lambda t, h, most: int(np.argmax(h - t > most))
        ),
        "Where no epoch is above, your search finds nothing to return. Return -1 there.": (
            lambda t, h, most: np.flatnonzero(h - t > most)[0],
            lambda t, h, most: np.where(h - t > most)[0][0],
            lambda t, h, most: list(h - t > most).index(True),
            lambda t, h, most: min(np.flatnonzero(h - t > most)),
            lambda t, h, most: next(i for i, gap in enumerate(h - t) if gap > most),
        ),
        "You count epochs from 1. The first is 0.": (
            lambda t, h, most: int(np.argmax(h - t > most)) + 1 if (h - t > most).any() else -1
        ),
        "You subtract the other way round: the gap is held_out minus train.": (
            lambda t, h, most: _first(t - h > most),
            lambda t, h, most: int(np.argmax(t - h > most)),
        ),
        "You take the size of the gap. A loss below the training loss is no memorising.": (
            lambda t, h, most: _first(np.abs(h - t) > most)
        ),
        "You count a gap that equals the limit. Above means larger.": (
            lambda t, h, most: _first(h - t >= most)
        ),
        "You return the last such epoch. The first was asked for.": (
            lambda t, h, most: int(np.flatnonzero(h - t > most)[-1]) if (h - t > most).any() else -1
        ),
        "You return the epoch of the largest gap. The first above the limit was asked for.": (
            lambda t, h, most: int(np.argmax(h - t)),
            lambda t, h, most: int(np.argmax(h - t)) if (h - t > most).any() else -1,
        ),
        "You count the epochs above the limit. Return the first of them.": (
            lambda t, h, most: int((h - t > most).sum())
        ),
        "You compare the held-out loss with the limit. The gap is what counts.": (
            lambda t, h, most: _first(h > most),
            lambda t, h, most: int(np.argmax(h > most)),
        ),
        "You look whether the held-out loss rises. The gap may grow while it still falls.": (
            lambda t, h, most: _first(np.diff(h) > 0),
            lambda t, h, most: _first(np.diff(h) > most),
            lambda t, h, most: int(np.argmin(h)),
        ),
        "You return all such epochs, or which they are. The first was asked for.": (
            lambda t, h, most: np.flatnonzero(h - t > most),
            lambda t, h, most: h - t > most,
        ),
        "You return the gap. Return the epoch.": lambda t, h, most: h - t,
        "Your loop decides at the first epoch. Return -1 only after all of them.": (
            lambda t, h, most: 0 if h[0] - t[0] > most else -1
        ),
    },
)
def memorises_from(train, held_out, most):
    above = held_out - train > most
    return int(above.argmax()) if above.any() else -1


def _first(above):
    return int(above.argmax()) if above.any() else -1
