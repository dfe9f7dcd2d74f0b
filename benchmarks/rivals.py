"""Encoders that are not autoencoders, on the network, views and epochs of the book's models.

``ContrastiveEncoder`` is the learned rival that a reader would pick today; ``Classifier`` is told
the labels and marks the ceiling.
"""

import numpy as np

from vae_tutorial._tensorflow import keras, tf
from vae_tutorial.models.networks import PointEncoder

layers, ops = keras.layers, keras.ops


def info_nce(first, second, temperature: float):
    """Return InfoNCE of two views of each image, (n, dim) both, in nats: the mean over 2n views.

    Each view has to pick its twin among the other 2n - 1 by cosine similarity. Source: van den Oord
    et al. (2018); of 2n views, as here, Chen et al. (2020).
    """
    n = ops.shape(first)[0]
    both = ops.normalize(ops.concatenate([first, second]), axis=-1)
    similarity = both @ ops.transpose(both) / temperature - 1e9 * ops.eye(2 * n)
    twins = ops.concatenate([ops.arange(n) + n, ops.arange(n)])
    return ops.mean(
        keras.losses.sparse_categorical_crossentropy(twins, similarity, from_logits=True)
    )


class Rival(keras.Model):
    """An encoder, a view, and a loss of its own; ``encode`` is that of the book's models."""

    def __init__(self, latent_dim: int, view, *, width: int, n_outputs: int):
        super().__init__()
        self.encoder = PointEncoder((28, 28, 1), latent_dim, "conv", name="encoder")
        self.view = view
        hidden = [layers.Dense(width, activation="relu")] if width else []
        outputs = [layers.Dense(n_outputs)] if n_outputs else []
        self.head = keras.Sequential([keras.Input((latent_dim,)), *hidden, *outputs])
        self.tracker = keras.metrics.Mean("loss")
        self.encoder.build((None, 28, 28, 1))
        self.built = True

    @property
    def metrics(self):
        return [self.tracker]

    def train_step(self, data):
        with tf.GradientTape() as tape:
            loss = self.loss_of(*data) if isinstance(data, tuple) else self.loss_of(data)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        self.tracker.update_state(loss)
        return {"loss": self.tracker.result()}

    def seen(self, images):
        return images if self.view is None else self.view(images)

    def encode(self, images, batch_size: int = 512) -> np.ndarray:
        """Return the latents of ``images``, float32 (n, latent_dim)."""
        encoder = tf.function(self.encoder)
        starts = range(0, len(images), batch_size)
        return np.concatenate([encoder(images[i : i + batch_size]).numpy() for i in starts])


class ContrastiveEncoder(Rival):
    """SimCLR with this book's network: two views of an image are pulled together, others apart.

    The latent goes through a head of one hidden layer before it is compared, as in Chen et al.
    (2020); ``head=0`` compares the latent itself.
    """

    def __init__(self, latent_dim: int, view, temperature: float, head: int):
        super().__init__(latent_dim, view, width=256 if head else 0, n_outputs=head)
        self.temperature = temperature

    def loss_of(self, images):
        first, second = (self.head(self.encoder(self.seen(images))) for _ in range(2))
        return info_nce(first, second, self.temperature)


class Classifier(Rival):
    """Trained to name the class of a view: it is told what retrieval is judged by."""

    def __init__(self, latent_dim: int, view):
        super().__init__(latent_dim, view, width=0, n_outputs=10)

    def loss_of(self, images, labels):
        logits = self.head(ops.relu(self.encoder(self.seen(images))))
        return ops.mean(
            keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        )
