"""Train the bundled models, and write their weights and the model card.

Each model is trained on the official training set without its first 5,848 images, among which are
all images of the bundled samples. Writes vae_tutorial/weights/*.weights.h5 and README.md, and
prints the SHA-256 sums that vae_tutorial/models/bundled.py checks.
"""

import argparse
import hashlib
import json
import time
from pathlib import Path

import numpy as np
import ranking
import specs
from measuring import write_report, write_whole

FOLDER = Path(__file__).parent.parent / "vae_tutorial" / "weights"
FIRST = 5_848  # training images from here on
SEED = 0
LARGEST = 4 * 2**20
# name: data, row of specs.models_of_table or specs.models_of_page, distance
BUNDLED = {
    "mnist-vae": ("mnist", "convolutional VAE", "cosine"),
    "mnist-view-vae": ("mnist", "view VAE", "cosine"),
    "mnist-binary-vae": ("mnist", "binary view VAE, 64 bits", "hamming"),
    "mnist-dense-view-vae": ("mnist", "dense view VAE", "cosine"),
    "mnist-2d-vae": ("mnist", "dense VAE, 2 dimensions", "euclidean"),
    "fashion-vae": ("fashion-mnist", "convolutional VAE", "cosine"),
    "fashion-view-vae": ("fashion-mnist", "view VAE", "cosine"),
}

NOTES = {
    "mnist-dense-view-vae": "beta and the number of epochs were chosen on the queries below",
}


def spec_of(name: str) -> specs.Spec:
    """Return what a bundled model was trained with."""
    data_name, row, _ = BUNDLED[name]
    return (specs.models_of_table(data_name) | specs.models_of_page())[row]


def train(name: str, quick: bool) -> dict:
    """Train one model, write its weights, and return its card."""
    data_name, _, distance = BUNDLED[name]
    spec = spec_of(name)
    if quick:
        spec = specs.replace(spec, epochs=1)
    images = specs.load_split(data_name, "full").gallery[FIRST:]
    model = spec.build(data_name, SEED)
    started = time.perf_counter()
    spec.train(model, images)
    seconds = time.perf_counter() - started
    path = write_half(model, spec, FOLDER / f"{name}.weights.h5")
    sample = specs.load_split(data_name, "quick")
    features = getattr(ranking, distance)(
        model.encode(sample.queries), model.encode(sample.gallery)
    )
    scores = ranking.score(features, sample.query_labels, sample.gallery_labels, title=name)
    terms = model.evaluate(sample.queries, verbose=0, return_dict=True)
    return {
        "name": name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "class": spec.kind,
        "settings": spec.describe(),
        "views": specs.VIEWS[data_name] if spec.view_strength else None,
        "data": f"{data_name}, training images {FIRST:,} to 59,999, without labels",
        "seed": SEED,
        "seconds": round(seconds),
        "note": NOTES.get(name),
        "protocol": f"{sample.protocol}; {distance} distance; none of them was trained on",
        "scores": {metric: round(value["mean"], 4) for metric, value in scores.items()},
        "negative ELBO, nats": round(terms["reconstruction"] + terms["kl"], 2),
    }


def write_half(model, spec, path: Path) -> Path:
    """Write the weights as 16-bit floats: half the size, and loaded into 32-bit variables."""
    from vae_tutorial import models
    from vae_tutorial._tensorflow import keras

    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float16")
    try:
        half = getattr(models, spec.kind)(
            architecture=spec.architecture, latent_dim=spec.latent_dim
        )
    finally:
        keras.config.set_dtype_policy(policy)
    half.set_weights([np.float16(values) for values in model.get_weights()])
    path.parent.mkdir(parents=True, exist_ok=True)
    half.save_weights(path)
    model.load_weights(path)  # what is measured is what is stored
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path.name} takes {path.stat().st_size:,} bytes, over {LARGEST:,}")
    return path


def card_text(cards: list[dict]) -> str:
    """Return the model card of all models, in Markdown."""
    lines = [
        "# Model card of the bundled weights",
        "",
        "Made by `python benchmarks/weights.py`; it measured every number below. Figures for the",
        "full test sets and other methods are in `benchmarks/results/`.",
        "",
        "Use: teaching, and retrieval among images like those below. Limits: 28x28 grey images of",
        "digits or of clothes, centred as in the data sets; anything else is encoded without a",
        "warning and without meaning. Nothing here was tested for any other purpose. No label was",
        "used in training; settings were chosen with labels of a part of the training set.",
        "",
    ]
    for card in cards:
        lines += [f"## {card['name']}", ""]
        for key, value in card.items():
            if key != "name" and value is not None:
                text = json.dumps(value) if isinstance(value, dict) else value
                lines.append(f"- {key}: {text}")
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=BUNDLED, default=list(BUNDLED))
    parser.add_argument("--quick", action="store_true", help="one epoch, to try the command")
    arguments = parser.parse_args()
    for name in arguments.only:
        card = train(name, arguments.quick)
        print(name, card["sha256"])
        write_report(FOLDER / f"{name}.json", card)
    cards = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(FOLDER.glob("*.json"))]
    write_whole(FOLDER / "README.md", card_text(cards))


if __name__ == "__main__":
    main()
