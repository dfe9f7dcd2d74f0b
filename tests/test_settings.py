"""Models under the settings that readers have: precision, compilers, orders of axes, formats."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from vae_tutorial import objectives
from vae_tutorial._tensorflow import keras, tf
from vae_tutorial.models import VAE, Autoencoder, BinaryVAE, RandomView, ViewVAE, pretrained
from vae_tutorial.multimodal import ImageTextVAE

IMAGES = np.random.default_rng(0).random((12, 8, 8, 1), dtype="float32")
WORDS = np.eye(3, dtype="float32")[np.arange(12) % 3]
LOOK = {"shift": 2.0, "rotation": 20.0, "zoom": 0.1, "shear": 0.2, "thickness": 0.5, "flip": True}
SIZE = {"image_shape": (8, 8, 1), "latent_dim": 2}
KINDS = {
    "vae": lambda **more: VAE(**SIZE, **more),
    "conv": lambda **more: VAE(**SIZE, architecture="conv", likelihood="gaussian", **more),
    "autoencoder": lambda **more: Autoencoder(**SIZE, **more),
    "view": lambda **more: ViewVAE(**SIZE, view=RandomView(**LOOK), consistency=0.1, **more),
    "binary": lambda **more: BinaryVAE(**SIZE, view=RandomView(**LOOK), **more),
    "words": lambda **more: ImageTextVAE(**SIZE, n_words=3, **more),
}


def aside(*values: str) -> list:
    """Return cases of a test that `make test` leaves to `make study-smoke`, which a push runs."""
    return [pytest.param(value, marks=pytest.mark.aside) for value in values]


# Views and words are what a plain model lacks; a push asks the others too.
FEW = ["view", "words", *aside("vae", "conv", "autoencoder", "binary")]


def data_of(model):
    return (IMAGES, WORDS) if isinstance(model, ImageTextVAE) else IMAGES


def fitted(kind: str, *, compiled=None, **more):
    keras.utils.set_random_seed(0)
    model = KINDS[kind](**more)
    # The readers' optimiser takes a compiler four times as long: one kind is enough for it.
    optimizer = keras.optimizers.Adam if kind == "vae" else keras.optimizers.SGD
    model.compile(optimizer(1e-3), **(compiled or {}))
    history = model.fit(data_of(model), epochs=2, batch_size=6, verbose=0).history
    return model, history


@pytest.fixture
def policy():
    """Set Keras's precision for a test, and put it back afterwards."""
    before = keras.config.dtype_policy()
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy(before)


# -- Precision ------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("kind", FEW)
@pytest.mark.parametrize("name", ["mixed_float16", *aside("mixed_bfloat16", "float64", "float16")])
def test_models_train_under_any_precision(kind, name, policy):
    policy(name)
    model, history = fitted(kind)
    assert np.isfinite(history["loss"]).all()
    terms = model.loss_terms(*(((IMAGES, WORDS),) if kind == "words" else (IMAGES,)))
    expected = "float64" if name == "float64" else "float32"
    assert {tensor.dtype.name for tensor in map(tf.convert_to_tensor, terms.values())} == {expected}
    assert model.encode(IMAGES).dtype == model.decode(model.encode(IMAGES)).dtype == np.float32
    assert np.isfinite(model.encode(IMAGES)).all()


@pytest.mark.parametrize("dtype", ["float64", "float16", "uint8"])
def test_data_sets_of_other_numbers_are_cast(dtype):
    pictures = (IMAGES > 0.5).astype(dtype)
    model = KINDS["vae"]()
    model.compile("sgd")
    history = model.fit(tf.data.Dataset.from_tensor_slices(pictures).batch(6), verbose=0).history
    assert np.isfinite(history["loss"]).all()


def test_a_float64_model_is_saved_as_one(tmp_path):
    model = VAE(**SIZE, dtype="float64")
    assert {weights.dtype for weights in model.encoder.weights} == {"float64"}
    model.save(tmp_path / "x.keras")
    loaded = keras.models.load_model(tmp_path / "x.keras")
    assert loaded.dtype_policy.name == "float64"
    np.testing.assert_array_equal(loaded.encode(IMAGES), model.encode(IMAGES))


def test_objectives_take_numbers_of_two_precisions():
    one, other = np.ones((2, 3)), np.full((2, 3), 0.5, "float32")
    for found in (
        objectives.kl_divergence(one, other),
        objectives.gaussian_kl(one, other, other, one),
        objectives.bernoulli_log_likelihood(other, one),
        objectives.gaussian_log_likelihood(one, other, 0.0),
        objectives.gaussian_log_likelihood(other, one, one),
        objectives.reparameterise(one, other, other),
        objectives.elbo(one[0], other[0]),
    ):
        assert found.dtype == "float64"
    assert objectives.kl_divergence(other, other.astype("float16")).dtype == "float32"


# -- Compilers ------------------------------------------------------------------------------------

# In a process of its own, because determinism cannot be switched off again.
UNDER_XLA = """
import sys, json
sys.path.insert(0, {tests!r})
from test_settings import KINDS, fitted, keras, tf
def losses(kinds):
    return {{kind: fitted(kind, compiled={{"jit_compile": True}})[1]["loss"] for kind in kinds}}
as_it_is = losses(["view"])
tf.config.experimental.enable_op_determinism()
print(json.dumps([as_it_is, losses(KINDS)]))
"""


@pytest.mark.slow
@pytest.mark.aside
def test_every_model_trains_under_xla():
    code = UNDER_XLA.format(tests=os.path.dirname(__file__))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    as_it_is, deterministic = json.loads(done.stdout.splitlines()[-1])
    assert ([*as_it_is], [*deterministic]) == (["view"], [*KINDS])
    for kind, found in deterministic.items():
        plain = fitted(kind)[1]["loss"]
        assert found == pytest.approx(plain, rel=0.05), kind
        assert as_it_is.get(kind, found) == pytest.approx(plain, rel=0.05), kind


# -- The order of axes ----------------------------------------------------------------------------


def codes_and_views() -> dict[str, list]:
    images = np.random.default_rng(0).random((3, 28, 28, 1), dtype="float32")
    view = RandomView(shift=2.0, rotation=20.0, thickness=1.0)
    found = {"codes": pretrained("mnist-view-vae").encode(images), "views": view(images).numpy()}
    return {name: values.round(3).tolist() for name, values in found.items()}


# Set before anything of ours is imported.
CHANNELS_FIRST = """
import keras
keras.config.set_image_data_format("channels_first")
import sys, json
sys.path.insert(0, {tests!r})
from test_settings import codes_and_views
print(json.dumps(codes_and_views()))
"""


@pytest.mark.slow
@pytest.mark.aside
def test_the_readers_order_of_axes_does_not_matter():
    assert keras.config.image_data_format() == "channels_last"
    code = CHANNELS_FIRST.format(tests=os.path.dirname(__file__))
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(said.stdout.splitlines()[-1]) == codes_and_views()


# -- Files ----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("kind", FEW)
def test_every_model_is_saved_and_loaded(kind, tmp_path):
    model, _ = fitted(kind)
    model.save(tmp_path / "x.keras")
    loaded = keras.models.load_model(tmp_path / "x.keras")
    assert type(loaded) is type(model)
    np.testing.assert_array_equal(loaded.encode(IMAGES), model.encode(IMAGES))
    # The streams of noise and of views go on where they were.
    data = data_of(model)
    ours, theirs = (m.fit(data, shuffle=False, verbose=0).history for m in (model, loaded))
    assert theirs.keys() == ours.keys()
    for name, values in ours.items():
        assert theirs[name] == pytest.approx(values, rel=1e-4), name


def test_a_configuration_is_not_touched():
    config = KINDS["view"]().get_config()
    before = json.dumps(config)
    for _ in range(2):
        assert ViewVAE.from_config(config).view.get_config()["shift"] == 2.0
    assert json.dumps(config) == before


@pytest.mark.slow
@pytest.mark.parametrize("kind", FEW)
def test_a_model_is_exported_before_it_was_called(kind, tmp_path):
    model = KINDS[kind]()
    model.export(tmp_path / "served", verbose=False)
    served = tf.saved_model.load(tmp_path / "served")
    np.testing.assert_allclose(served.serve(IMAGES), model(IMAGES), atol=1e-5)


# -- Graphics processors --------------------------------------------------------------------------

# What a step of training is made of. With determinism asked for, TensorFlow raises an error for
# operations that it cannot repeat on a GPU; its documentation of enable_op_determinism and its
# release notes from 2.8 name them: sums over segments of half precision, resizing's and cropping's
# gradients, histograms, batch normalisation in its fused form with frozen statistics, sparse by
# dense products, affine transformations by XLA (not compiled at all). None of them is here: moving
# data, arithmetic of single elements, sums, products of matrices, convolutions, a pool without
# gradient, and random numbers that follow from a counter.
MOVES = {"BroadcastTo", "Cast", "ConcatV2", "Const", "GatherV2", "Identity", "IdentityN", "NoOp"}
MOVES |= {"Pad", "Placeholder", "Range", "Reshape", "Shape", "ShapeN", "Split", "Squeeze", "Tile"}
MOVES |= {"StopGradient", "StridedSlice", "Transpose", "ExpandDims", "Pack", "ZerosLike", "Fill"}
SINGLE = {"AddN", "AddV2", "Cos", "DivNoNan", "Exp", "Floor", "FloorDiv", "FloorMod", "Greater"}
SINGLE |= {"GreaterEqual", "Less", "Log", "Maximum", "Minimum", "Mul", "Neg", "Pow", "RealDiv"}
SINGLE |= {"Reciprocal", "Relu", "ReluGrad", "Rsqrt", "RsqrtGrad", "SelectV2", "Sigmoid", "Sqrt"}
SINGLE |= {"SigmoidGrad", "Sin", "Softplus", "Square", "SquaredDifference", "Sub", "Tanh"}
SINGLE |= {"TanhGrad", "BiasAdd", "LogicalAnd", "LogicalNot", "Equal"}
LARGE = {"BiasAddGrad", "Conv2D", "Conv2DBackpropFilter", "Conv2DBackpropInput", "MatMul"}
LARGE |= {"MaxPool", "Mean", "Sum"}
STATE = {"AssignAddVariableOp", "AssignSubVariableOp", "AssignVariableOp", "ReadVariableOp"}
STATE |= {"StatelessRandomGetKeyCounter", "StatelessRandomNormalV2", "StatelessRandomUniformV2"}
STATE |= {"StatelessRandomUniformIntV2", "VarHandleOp"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", FEW)
def test_a_step_is_made_of_operations_that_a_gpu_repeats(kind):
    model = KINDS[kind]()
    model.compile(keras.optimizers.Adam(1e-3))
    model.optimizer.build(model.trainable_variables)
    data = tf.nest.map_structure(tf.constant, data_of(model))
    step = tf.function(model.train_step)
    graph = step.get_concrete_function((data,) if kind == "words" else data).graph
    found = {operation.type for operation in graph.get_operations()}
    assert "MatMul" in found
    assert found - MOVES - SINGLE - LARGE - STATE == set()
