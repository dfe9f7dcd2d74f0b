"""Record how the two terms of the loss go in trainings with a fault, for the exercise about them.

The dense VAE is trained on the gallery of mnist-5k, once as the book does it and with each of six
faults, from several seeds. Before the first step and after every epoch both terms are measured on
the 500 queries, which no model is trained on. Writes results/faults.json; it takes a minute or two.
"""

import argparse
import platform
from pathlib import Path

import numpy as np
from measuring import significant, versions, write_report

from vae_tutorial import datasets, models, training
from vae_tutorial._tensorflow import keras, tf

RESULTS = Path(__file__).parent / "results" / "faults.json"
SEEDS, EPOCHS, BATCH, LATENT_DIM = range(4), 8, 64, 32
RATE, TOO_LARGE, TOO_DEAR = 1e-3, 1.0, 100.0
# By the number that the exercise gives it. Each says what the training step is handed.
FAULTS = (
    "all is well",
    "the reconstruction term is the mean over the pixels",
    "the KL divergence is not added to the loss",
    f"the weight of the KL divergence is {TOO_DEAR:g}, so every posterior becomes the prior",
    f"the learning rate is {TOO_LARGE:g}",
    "the optimiser is given the ELBO in place of the loss",
    "the gradients are never applied",
)


def terms_of(vae, images, fault: int) -> tuple:
    """Return the two terms as the faulty program reports them."""
    terms = vae.loss_terms(images)
    pixels = np.prod(images.shape[1:]) if fault == 1 else 1
    return terms["reconstruction"] / float(pixels), terms["kl"]


def loss_of(reconstruction, kl, fault: int):
    """Return what the faulty program minimises."""
    loss = reconstruction + {2: 0.0, 3: TOO_DEAR}.get(fault, 1.0) * kl
    return -loss if fault == 5 else loss


def step_of(vae, fault: int):
    """Return a compiled training step with this fault."""
    optimizer = keras.optimizers.Adam(TOO_LARGE if fault == 4 else RATE)

    def step(images):
        with tf.GradientTape() as tape:
            loss = loss_of(*terms_of(vae, images, fault), fault)
        gradients = tape.gradient(loss, vae.trainable_variables)
        if fault != 6:
            optimizer.apply(gradients, vae.trainable_variables)

    optimizer.build(vae.trainable_variables)
    return tf.function(step, reduce_retracing=True)


def curves(digits, fault: int, seed: int) -> dict[str, list[float]]:
    """Train once; return the terms before the first step and after each epoch."""
    training.set_seed(seed)
    vae = models.VAE((28, 28, 1), LATENT_DIM, seed=seed)
    step, rng = step_of(vae, fault), np.random.default_rng(seed)
    found = []
    for epoch in range(EPOCHS + 1):
        for start in range(0, len(digits.gallery_images) if epoch else 0, BATCH):
            if not start:
                shuffled = digits.gallery_images[rng.permutation(len(digits.gallery_images))]
            step(tf.constant(shuffled[start : start + BATCH]))
        found.append([float(term) for term in terms_of(vae, digits.query_images, fault)])
    reconstruction, kl = zip(*found, strict=True)
    return {"reconstruction": short(reconstruction), "kl": short(kl)}


def short(values) -> list[float]:
    """Round to two decimals, and large numbers to six digits."""
    return [significant(round(value, 2), 6) for value in values]


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    digits = datasets.load("mnist-5k")
    rows = [
        {"fault": number, "seed": seed, **curves(digits, number, seed)}
        for number in range(len(FAULTS))
        for seed in SEEDS
    ]
    report = {
        "command": "python benchmarks/faults.py",
        "protocol": f"dense VAE, latent_dim {LATENT_DIM}, Adam at {RATE:g}, batches of {BATCH}, "
        f"{EPOCHS} epochs of the 4,500 gallery images of mnist-5k; both terms in nats an image, on "
        "its 500 queries, before the first step and after each epoch, one draw of z an image",
        "python": platform.python_version(),
        "versions": versions("keras", "numpy", "tensorflow"),
        "faults": list(FAULTS),
        "rows": rows,
    }
    write_report(RESULTS, report)


if __name__ == "__main__":
    main()
