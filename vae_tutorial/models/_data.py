"""What ``fit``, ``evaluate`` and ``predict`` accept, checked at the door."""

import types
from collections.abc import Callable

import numpy as np

from vae_tutorial._checks import check_images
from vae_tutorial._tensorflow import keras, tf
from vae_tutorial._words import _

OWN_LOSS = ("loss", "loss_weights", "metrics", "weighted_metrics")


def images_alone() -> str:
    """Return what errors say where labels or weights came with the images."""
    return _("a VAE trains on images alone")


def is_data_set(x) -> bool:
    """Tell whether x yields batches, as opposed to holding images."""
    kinds = (tf.data.Dataset, keras.utils.PyDataset, types.GeneratorType)
    return x is None or isinstance(x, kinds) or (hasattr(x, "__iter__") and not _is_array(x))


def _is_array(x) -> bool:
    return isinstance(x, (list, tuple)) or hasattr(x, "__array__")


def peeked(x, check: Callable[[tuple], object]):
    """Return the data set x with its first batch checked; a generator is put together again."""
    if isinstance(x, keras.utils.PyDataset):
        check(_as_tuple(x[0]))
    elif isinstance(x, tf.data.Dataset):
        for batch in x.take(1):
            check(_as_tuple(batch))
    elif isinstance(x, types.GeneratorType):
        first = next(x, None)
        if first is None:
            raise ValueError(_("the generator is empty; let it yield batches of images"))
        check(_as_tuple(first))
        return _chained(first, x)
    return x  # a distributed data set, or a loader of another library: its steps check the shapes


def _chained(first, rest):
    yield first
    yield from rest


def _as_tuple(batch) -> tuple:
    return tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)


def refuse_weights(given: dict) -> None:
    """Refuse the weights of images that Keras would take."""
    for name in ("sample_weight", "class_weight"):
        if given.get(name) is not None:
            raise ValueError(
                _(
                    "{alone}, all of one weight, got {name}; leave it out",
                    alone=images_alone(),
                    name=name,
                )
            )


def check_pictures(images, shape: tuple[int, ...], name: str = "images") -> np.ndarray:
    """Return images as float32 if they have the shape of a model's images and lie in [0, 1]."""
    images = check_images(images, name)
    if images.shape[1:] != shape:
        raise ValueError(wrong_shape(name, images.shape, shape))
    return images


def check_targets(targets, seen: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return what is to be drawn, one picture for each that is seen."""
    found = np.shape(targets)
    if len(found) != 4:
        raise ValueError(
            _(
                "{alone}; the second argument may hold the images to draw, of shape {shape}, "
                "got shape {found}; leave labels out",
                alone=images_alone(),
                shape=seen.shape,
                found=found,
            )
        )
    targets = check_pictures(targets, shape, _("the images to draw"))
    if len(targets) != len(seen):
        raise ValueError(
            _(
                "the images to draw must be as many as the images seen, got {count} and "
                "{seen}; pass one for each",
                count=len(targets),
                seen=len(seen),
            )
        )
    return targets


def check_batch(images, shape: tuple[int, ...], name: str = "images"):
    """Return a batch inside a compiled step as a tensor of the right shape, at least float32."""
    images = tf.convert_to_tensor(images)
    found = images.shape
    if found.rank != 4 or not found[1:].is_compatible_with(shape):
        raise ValueError(wrong_shape(name, tuple(found), shape))
    return keras.ops.cast(images, keras.backend.result_type(images.dtype.name, "float32"))


def wrong_shape(name: str, found: tuple, shape: tuple[int, ...]) -> str:
    expected = ", ".join(map(str, shape))
    mend = _("build a model with image_shape={shape}", shape=tuple(found[1:]))
    if len(found) != 4:
        mend = _("add a missing axis with images[np.newaxis] or images[..., np.newaxis]")
    return _(
        "{name} must have shape (n, {expected}) for this model, got {found}; {mend}",
        name=name,
        expected=expected,
        found=tuple(found),
        mend=mend,
    )
