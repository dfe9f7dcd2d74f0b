"""What all models of the book share: images in, latents out, one training step."""

import functools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from vae_tutorial import objectives
from vae_tutorial._checks import check_choice, check_count, check_matrix
from vae_tutorial._tensorflow import keras, tf
from vae_tutorial._words import _
from vae_tutorial.models import _data
from vae_tutorial.models.networks import Decoder, Encoder, bound_log_var

ops = keras.ops

LIKELIHOODS = ("bernoulli", "gaussian")
# Adam moves a weight by about the learning rate a step; this lone one has a long way to go.
PIXEL_LOG_VAR_GAIN = 10.0


def _with_full_weights(dtype):
    """Return a policy of Keras's, its weights at least float32, which Adam needs."""
    policy = keras.dtype_policies.get(dtype or keras.config.dtype_policy())
    if policy.variable_dtype in ("float16", "bfloat16"):
        return keras.DTypePolicy(f"mixed_{policy.variable_dtype}")
    return policy


class ImageModel(keras.Model):
    """Encoder and decoder of images, trained on the terms that ``loss_terms`` names.

    ``fit`` takes images, which are drawn from themselves, or pairs: images that the encoder sees,
    and what is to be drawn from them.

    Parameters
    ----------
    image_shape, latent_dim, architecture, likelihood
        As for :class:`vae_tutorial.models.VAE`.
    decoder_of : function, optional
        Makes another decoder of the image shape, the latent size and the architecture.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range, of the wrong kind, or the strides do not divide the image.

    Examples
    --------
    >>> from vae_tutorial.models import VAE, Autoencoder
    >>> issubclass(VAE, ImageModel) and issubclass(Autoencoder, ImageModel)
    True
    """

    encoder_class: type = Encoder
    checks_images = True  # encode does, so an index need not look at them as well
    term_names: tuple[str, ...] = ("loss", "reconstruction")

    def __init__(
        self,
        image_shape: Sequence[int],
        latent_dim: int,
        architecture: str,
        likelihood: str,
        decoder_of: Callable | None = None,
        **kwargs,
    ):
        super().__init__(dtype=_with_full_weights(kwargs.pop("dtype", None)), **kwargs)
        self.likelihood = check_choice(likelihood, "likelihood", LIKELIHOODS)
        arguments, policy = (image_shape, latent_dim, architecture), {"dtype": self.dtype_policy}
        self.encoder = self.encoder_class(*arguments, name="encoder", **policy)
        if not issubclass(self.encoder_class, Encoder):
            # Keras draws one seed a weight. This one, of the missing head for a log-variance,
            # leaves the decoder's first weights what they were when every encoder had that head.
            keras.initializers.GlorotUniform()
        self.decoder = (decoder_of or Decoder)(*arguments, name="decoder", **policy)
        self.image_shape = self.encoder.image_shape
        self.latent_dim = self.encoder.latent_dim
        if likelihood == "gaussian":
            self.pixel_log_var = self._number("pixel_log_var", -0.2)
        # "added" is what regularisers and layers of the reader's own add to the loss, if any.
        names = (*self.term_names, "added")
        self.trackers = {name: keras.metrics.Mean(name) for name in names}

    def _number(self, name: str, value: float, **options):
        start = keras.initializers.Constant(value)
        return self.add_weight(name=name, shape=(), initializer=start, **options)

    def build(self, input_shape):
        self.encoder.build(input_shape)
        self.decoder.build((None, self.latent_dim))
        self.built = True

    def call(self, images):
        if isinstance(images, tf.Tensor) and hasattr(images, "numpy"):  # values can be looked at
            _data.check_pictures(images, self.image_shape)
        images = _data.check_batch(images, self.image_shape)
        return self.expected(self.decoder(self.latent_of(images)))

    def latent_of(self, images):
        """Return the latent that stands for each of ``images`` when no noise is drawn."""
        return self.encoder(images)

    def expected(self, logits):
        """Return the mean of p(x | z) given the decoder's ``logits``."""
        return ops.sigmoid(logits)

    def log_likelihood(self, images, logits):
        """Return log p(x | z) of ``images`` given the decoder's ``logits``, (batch,), in nats."""
        if self.likelihood == "bernoulli":
            return objectives.bernoulli_log_likelihood(images, logits)
        log_var = bound_log_var(PIXEL_LOG_VAR_GAIN * self.pixel_log_var)
        return objectives.gaussian_log_likelihood(images, self.expected(logits), log_var)

    # -- Training ---------------------------------------------------------------------------------

    def loss_terms(self, seen, target=None, training: bool = False) -> dict:
        """Return the batch means of the loss and of its terms, in nats; each model has its own.

        ``seen`` is what the encoder sees, ``target`` what is to be drawn (by default the same),
        ``training`` whether layers that learn from a batch do so.
        """
        raise NotImplementedError(f"{type(self).__name__} has no loss; use a VAE or Autoencoder")

    def unpack(self, data) -> tuple:
        """Return what the encoder sees of a batch of ``data``, and what is to be drawn from it."""
        seen, target, weights = keras.utils.unpack_x_y_sample_weight(data)
        _data.refuse_weights({"sample_weight": weights})
        seen = _data.check_batch(seen, self.image_shape)
        return seen, self.target_of(seen, target)

    def target_of(self, seen, target):
        """Return what is to be drawn of a batch: ``target``, or where it is None ``seen``."""
        if target is None:
            return seen
        if len(target.shape) != 4:
            words = _(
                "{alone}; let the data set yield images, not labels", alone=_data.images_alone()
            )
            raise ValueError(words)
        return _data.check_batch(target, self.image_shape, _("the images to draw"))

    def view_of(self, seen):
        """Return what the encoder sees in a step of training in place of ``seen``: here, itself."""
        return seen

    def train_step(self, data):
        seen, target = self.unpack(data)
        # Keras adds the gradients of all devices; each brings its share of the mean.
        devices = tf.distribute.get_strategy().num_replicas_in_sync
        with tf.GradientTape() as tape:
            terms = self._all_terms(self.view_of(seen), target, training=True)
            loss = self.optimizer.scale_loss(terms["loss"] / devices)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return self._track(terms, target)

    def test_step(self, data):
        seen, target = self.unpack(data)
        return self._track(self._all_terms(seen, target), target)

    def _all_terms(self, seen, target, training: bool = False) -> dict:
        terms = self.loss_terms(seen, target, training=training)
        if not (added := self.losses):
            return terms
        total = ops.cast(sum(added), terms["loss"].dtype)
        return {**terms, "loss": terms["loss"] + total, "added": total}

    def _track(self, terms: dict, target) -> dict:
        # Weighted by the batch size, so that a short last batch does not count for more.
        size = ops.shape(target[0] if isinstance(target, tuple) else target)[0]
        for name, value in terms.items():
            self.trackers[name].update_state(value, sample_weight=size)
        return {name: self.trackers[name].result() for name in terms}

    @property
    def metrics(self):
        return list(self.trackers.values())

    def compile(self, optimizer="rmsprop", **kwargs):
        """Choose the optimiser; as :meth:`keras.Model.compile`, without a loss or metrics."""
        if given := [name for name in _data.OWN_LOSS if kwargs.get(name) is not None]:
            raise ValueError(
                _(
                    "{kind} brings its own loss and reports its terms, got {names}; leave that "
                    "out, and use add_loss for a term of your own",
                    kind=type(self).__name__,
                    names=", ".join(given),
                )
            )
        super().compile(optimizer=optimizer, **kwargs)

    def compile_from_config(self, config):
        # Keras leaves this to models whose compile is their own.
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    def fit(self, x=None, y=None, *args, **kwargs):
        """Train on images, or on images and what to draw from them; as :meth:`keras.Model.fit`."""
        _data.refuse_weights(kwargs)
        if (held_out := kwargs.get("validation_data")) is not None:
            kwargs["validation_data"] = self._held_out(held_out)
        data = self._checked(x, y)
        self._build_optimizer()
        try:
            return super().fit(*data, *args, **kwargs)
        except KeyboardInterrupt:
            for callback in kwargs.get("callbacks") or ():
                getattr(callback, "on_interrupt", bool)()  # a line of progress ends properly
            raise

    def _build_optimizer(self):
        # Where the first step makes its variables, TensorFlow traces that step twice.
        if self.compiled and not self.optimizer.built:
            with self.distribute_strategy.scope():
                self.optimizer.build(self.trainable_variables)

    def evaluate(self, x=None, y=None, *args, **kwargs):
        """Return the terms of the loss; as :meth:`keras.Model.evaluate`."""
        _data.refuse_weights(kwargs)
        # From within fit, Keras brings what fit has checked.
        inside = kwargs.get("_use_cached_eval_dataset", False)
        data = (x, y) if inside else self._checked(x, y)
        return super().evaluate(*data, *args, **kwargs)

    def predict(self, x, *args, **kwargs):
        """Return the reconstructions of images; as :meth:`keras.Model.predict`."""
        if _data.is_data_set(x):
            x = _data.peeked(x, lambda batch: _data.check_pictures(batch[0], self.image_shape))
        else:
            x = _data.check_pictures(x, self.image_shape)
        return super().predict(x, *args, **kwargs)

    def _checked(self, x, y) -> tuple:
        """Return data for Keras: arrays are checked whole, data sets by their first batch."""
        if _data.is_data_set(x):
            return _data.peeked(x, lambda batch: self._check_arrays(*batch)), y
        return self._check_arrays(x, y)

    def _check_arrays(self, x, y=None, weights=None) -> tuple:
        _data.refuse_weights({"sample_weight": weights})
        images = _data.check_pictures(x, self.image_shape)
        return images, self.check_targets(y, images)

    def check_targets(self, targets, seen: np.ndarray):
        """Return ``targets``, one for each image that is ``seen``, checked; None stays None."""
        if targets is None:
            return None
        return _data.check_targets(targets, seen, self.image_shape)

    def _held_out(self, data):
        if _data.is_data_set(data):
            return self._checked(data, None)[0]
        return self._check_arrays(*data) if isinstance(data, tuple) else self._check_arrays(data)

    # -- Files ------------------------------------------------------------------------------------

    def streams(self) -> dict:
        """Return the generators of random numbers that a loaded model goes on with, by name."""
        return {}

    def save_own_variables(self, store):
        super().save_own_variables(store)
        for name, generator in self.streams().items():
            store[f"stream_of_{name}"] = generator.state.numpy()

    def load_own_variables(self, store):
        state = {name: store[name] for name in store.keys()}  # noqa: SIM118
        for name, generator in self.streams().items():
            if f"stream_of_{name}" in state:  # files of version 0.1 have none
                generator.state.assign(state[f"stream_of_{name}"])
        own = range(len(self._trainable_variables) + len(self._non_trainable_variables))
        # Files of version 0.1 have a last number that a plain autoencoder has no use for.
        super().load_own_variables({str(i): state[str(i)] for i in own})

    # -- Use --------------------------------------------------------------------------------------

    def encode(self, images: ArrayLike, batch_size: int = 512) -> np.ndarray:
        """Return the descriptors of ``images`` for retrieval, (n, latent_dim), float32.

        The latent of each image without noise, ``batch_size`` images at a time.
        """
        return self._in_batches(self._compiled_latent, images, batch_size)[0]

    def decode(self, z: ArrayLike, batch_size: int = 512) -> np.ndarray:
        """Return the images that latents ``z``, (n, latent_dim), decode to, float32 in [0, 1].

        ``batch_size`` latents are decoded at a time.
        """
        z = check_matrix(z, "z", columns=self.latent_dim)
        starts = range(0, len(z), check_count(batch_size, "batch_size"))
        parts = [self.expected(self.decoder(z[i : i + batch_size])) for i in starts]
        return np.concatenate(parts).astype(np.float32, copy=False)

    def _in_batches(self, function: Callable, images: ArrayLike, batch_size: int) -> list:
        """Return what a function gives for all images, one array for each of its outputs."""
        images = _data.check_pictures(images, self.image_shape)
        starts = range(0, len(images), check_count(batch_size, "batch_size"))
        parts = [function(images[i : i + batch_size]) for i in starts]
        outputs = zip(*(p if isinstance(p, tuple) else (p,) for p in parts), strict=True)
        return [np.concatenate(output).astype(np.float32, copy=False) for output in outputs]

    @functools.cached_property
    def _compiled_latent(self) -> Callable:
        return self._compiled(self.latent_of)

    def _compiled(self, function: Callable) -> Callable:
        # One trace for every batch size; a query of one image then costs little more than its work.
        signature = [tf.TensorSpec((None, *self.image_shape), tf.float32)]
        return tf.function(function, input_signature=signature)

    def export(self, filepath, *args, **kwargs):
        """Write a model for serving; as :meth:`keras.Model.export`, of images of this model."""
        size = keras.InputSpec(shape=(None, *self.image_shape), dtype="float32")
        kwargs.setdefault("input_signature", [size])
        return super().export(filepath, *args, **kwargs)

    def get_config(self):
        return {
            "image_shape": self.image_shape,
            "latent_dim": self.latent_dim,
            "architecture": self.encoder.architecture,
            "likelihood": self.likelihood,
            "name": self.name,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
        }
