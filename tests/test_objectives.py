"""Objectives against Monte Carlo, SciPy and a model whose log p(x) is known exactly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from vae_tutorial import objectives
from vae_tutorial._tensorflow import keras, tf

FINITE = st.floats(-5, 5, allow_nan=False, width=64)
VECTORS = st.integers(1, 6).flatmap(
    lambda n: st.tuples(*[hnp.arrays(float, n, elements=FINITE)] * 2)
)


@given(VECTORS)
def test_kl_is_not_negative_and_zero_only_at_the_prior(pair):
    mean, log_var = pair
    kl = float(objectives.kl_divergence(mean, log_var))
    assert kl >= 0
    if np.abs(mean).max() > 0.01 or np.abs(log_var).max() > 0.01:
        assert kl > 1e-6


def test_kl_agrees_with_scipy_by_quadrature():
    mean, log_var = 0.7, -0.9
    posterior = stats.norm(mean, np.exp(log_var / 2))
    expected = posterior.expect(lambda z: posterior.logpdf(z) - stats.norm.logpdf(z), epsabs=1e-12)
    got = float(objectives.kl_divergence(np.array([mean]), np.array([log_var])))
    assert got == pytest.approx(expected, abs=1e-9)


def test_kl_agrees_with_monte_carlo_within_four_standard_errors():
    rng = np.random.default_rng(0)
    mean, log_var = rng.normal(size=4), rng.normal(size=4)
    z = objectives.reparameterise(
        np.tile(mean, (200_000, 1)), np.tile(log_var, (200_000, 1)), rng.normal(size=(200_000, 4))
    ).numpy()
    scale = np.exp(log_var / 2)
    log_ratio = (stats.norm.logpdf(z, mean, scale) - stats.norm.logpdf(z)).sum(axis=1)
    error = log_ratio.std() / np.sqrt(len(log_ratio))
    got = float(objectives.kl_divergence(mean, log_var))
    assert abs(got - log_ratio.mean()) < 4 * error


def test_kl_sums_over_dimensions_and_keeps_the_batch():
    mean, log_var = np.ones((5, 3)), np.zeros((5, 3))
    assert objectives.kl_per_dimension(mean, log_var).shape == (5, 3)
    np.testing.assert_allclose(objectives.kl_divergence(mean, log_var), np.full(5, 1.5))


@given(VECTORS, VECTORS)
def test_kl_between_gaussians_is_cross_entropy_minus_entropy(first, second):
    width = min(len(first[0]), len(second[0]))
    (mean_1, log_var_1), (mean_2, log_var_2) = ([v[:width] for v in p] for p in (first, second))
    got = float(objectives.gaussian_kl(mean_1, log_var_1, mean_2, log_var_2))
    # Cross-entropy minus entropy, from SciPy's second moments.
    one, two = (stats.norm(m, np.exp(v / 2)) for m, v in ((mean_1, log_var_1), (mean_2, log_var_2)))
    second_moment = one.var() + (one.mean() - two.mean()) ** 2
    cross = 0.5 * np.log(2 * np.pi * two.var()) + second_moment / (2 * two.var())
    assert got == pytest.approx((cross - one.entropy()).sum(), rel=1e-9, abs=1e-9)
    assert got >= -1e-9


def test_kl_from_the_prior_is_the_special_case():
    rng = np.random.default_rng(0)
    mean, log_var = rng.normal(size=(2, 7, 3))
    zeros = np.zeros_like(mean)
    np.testing.assert_allclose(
        objectives.gaussian_kl(mean, log_var, zeros, zeros), objectives.kl_divergence(mean, log_var)
    )


def test_kl_of_coins_agrees_with_scipy_and_survives_certainty():
    logits = np.array([[0.3, -2.0, 4.0], [0.0, 1.0, -1.0]])
    p = 1 / (1 + np.exp(-logits))
    expected = (np.log(2) - stats.bernoulli(p).entropy()).sum(axis=1)
    np.testing.assert_allclose(objectives.bernoulli_kl(logits), expected, rtol=1e-9)
    assert float(objectives.bernoulli_kl(np.array([1e4, -1e4]))) == pytest.approx(2 * np.log(2))


@given(VECTORS)
def test_gaussian_log_likelihood_agrees_with_scipy(pair):
    mean, log_var = pair
    x = mean[::-1].copy()
    expected = stats.norm.logpdf(x, mean, np.exp(log_var / 2)).sum()
    got = float(objectives.gaussian_log_likelihood(x, mean, log_var, batch_dims=0))
    assert got == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_gaussian_log_likelihood_takes_one_shared_log_var():
    x, mean = np.zeros((2, 3)), np.ones((2, 3))
    shared = objectives.gaussian_log_likelihood(x, mean, 0.3)
    spread = objectives.gaussian_log_likelihood(x, mean, np.full((2, 3), 0.3))
    np.testing.assert_allclose(shared, spread, rtol=1e-12)


@given(hnp.arrays(float, 6, elements=st.sampled_from([0.0, 1.0])), VECTORS)
def test_bernoulli_log_likelihood_agrees_with_scipy(x, pair):
    logits = np.resize(pair[0], 6)
    expected = stats.bernoulli.logpmf(x.astype(int), 1 / (1 + np.exp(-logits))).sum()
    got = float(objectives.bernoulli_log_likelihood(x, logits, batch_dims=0))
    assert got == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_bernoulli_log_likelihood_survives_certainty():
    x = np.array([[1.0, 0.0]])
    right, wrong = np.array([[500.0, -500.0]]), np.array([[-500.0, 500.0]])
    assert float(objectives.bernoulli_log_likelihood(x, right)[0]) == pytest.approx(0.0, abs=1e-12)
    assert float(objectives.bernoulli_log_likelihood(x, wrong)[0]) == pytest.approx(-1000.0)


def test_likelihoods_sum_over_every_axis_after_the_batch():
    x = np.full((4, 2, 3, 1), 0.5)
    assert objectives.bernoulli_log_likelihood(x, np.zeros_like(x)).shape == (4,)
    draws = np.stack([x, x])
    assert objectives.gaussian_log_likelihood(draws, draws, 0.0, batch_dims=2).shape == (2, 4)


class LinearGaussian:
    """p(z) = N(0, I), p(x | z) = N(Wz + b, s^2 I): marginal and posterior are known exactly."""

    def __init__(self, rng, dim_x=5, dim_z=3, std=0.6):
        self.weights, self.bias = rng.normal(size=(dim_x, dim_z)), rng.normal(size=dim_x)
        self.std = std
        self.precision = np.eye(dim_z) + self.weights.T @ self.weights / std**2

    def log_marginal(self, x):
        covariance = self.weights @ self.weights.T + self.std**2 * np.eye(len(x))
        return stats.multivariate_normal.logpdf(x, self.bias, covariance)

    def posterior(self, x):
        covariance = np.linalg.inv(self.precision)
        return covariance @ self.weights.T @ (x - self.bias) / self.std**2, covariance

    def expected_log_likelihood(self, x, mean, log_var):
        """E_q[log p(x | z)] in closed form: the value at the mean, less the spread of Wz."""
        at_mean = objectives.gaussian_log_likelihood(
            x, self.weights @ mean + self.bias, 2 * np.log(self.std), batch_dims=0
        )
        spread = (self.weights**2 @ np.exp(log_var)).sum() / (2 * self.std**2)
        return float(at_mean) - spread


def kl_between(mean, log_var, other_mean, other_covariance):
    """KL from a diagonal Gaussian to any Gaussian, the textbook formula."""
    precision = np.linalg.inv(other_covariance)
    gap = other_mean - mean
    trace = np.trace(precision @ np.diag(np.exp(log_var)))
    log_determinants = np.linalg.slogdet(other_covariance)[1] - log_var.sum()
    return 0.5 * (trace + gap @ precision @ gap - len(mean) + log_determinants)


@pytest.mark.parametrize("seed", range(5))
def test_elbo_plus_gap_is_log_p_of_x(seed):
    rng = np.random.default_rng(seed)
    model = LinearGaussian(rng)
    x = rng.normal(size=5)
    mean, log_var = rng.normal(size=3), rng.normal(size=3)
    kl = objectives.kl_divergence(mean[None], log_var[None])
    log_likelihood = np.array([model.expected_log_likelihood(x, mean, log_var)])
    bound = float(objectives.elbo(log_likelihood, kl)[0])
    gap = kl_between(mean, log_var, *model.posterior(x))
    assert gap > 0.01
    assert bound + gap == pytest.approx(model.log_marginal(x), abs=1e-6)


def test_iwae_bound_rises_to_log_p_of_x():
    rng = np.random.default_rng(1)
    model = LinearGaussian(rng)
    x, k, repeats = rng.normal(size=5), 256, 2000
    exact_mean, exact_covariance = model.posterior(x)
    mean, log_var = exact_mean + 0.3, np.log(np.diag(exact_covariance))
    shape = (k, repeats, 3)
    means, log_vars = np.broadcast_to(mean, shape), np.broadcast_to(log_var, shape)
    z = objectives.reparameterise(means, log_vars, rng.normal(size=shape)).numpy()
    log_weights = (
        objectives.gaussian_log_likelihood(
            np.broadcast_to(x, (k, repeats, 5)),
            z @ model.weights.T + model.bias,
            2 * np.log(model.std),
            batch_dims=2,
        )
        + objectives.gaussian_log_likelihood(z, np.zeros(shape), 0.0, batch_dims=2)
        - objectives.gaussian_log_likelihood(z, means, log_vars, batch_dims=2)
    ).numpy()
    bounds = [float(objectives.iwae_bound(log_weights[:n]).numpy().mean()) for n in (1, 4, 16, 256)]
    assert bounds == sorted(bounds)
    assert bounds[-1] - bounds[0] > 0.3
    assert bounds[-1] == pytest.approx(model.log_marginal(x), abs=0.05)


def test_iwae_with_one_draw_is_the_draw_and_does_not_overflow():
    log_weights = np.array([[-2000.0, 1500.0]])
    np.testing.assert_allclose(objectives.iwae_bound(log_weights), [-2000.0, 1500.0])


def test_reparameterised_draws_have_the_stated_moments():
    rng = np.random.default_rng(3)
    shape = (100_000, 2)
    mean, log_var = np.array([1.0, -2.0]), np.log([0.25, 4.0])
    z = objectives.reparameterise(
        np.broadcast_to(mean, shape), np.broadcast_to(log_var, shape), rng.normal(size=shape)
    ).numpy()
    np.testing.assert_allclose(z.mean(axis=0), mean, atol=0.03)
    np.testing.assert_allclose(z.var(axis=0), [0.25, 4.0], rtol=0.03)


def test_gradients_reach_mean_and_log_var_through_a_draw():
    mean, log_var = tf.Variable([[0.5]]), tf.Variable([[0.0]])
    with tf.GradientTape() as tape:
        z = objectives.reparameterise(mean, log_var, tf.constant([[2.0]]))
    by_mean, by_log_var = tape.gradient(z, [mean, log_var])
    assert float(by_mean[0, 0]) == 1.0
    assert float(by_log_var[0, 0]) == pytest.approx(1.0)  # 0.5 * exp(0) * 2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_precision_is_kept(dtype):
    values = np.ones((2, 3), dtype)
    for result in (
        objectives.kl_divergence(values, values),
        objectives.bernoulli_log_likelihood(values, values),
        objectives.gaussian_log_likelihood(values, values, 0.0),
        objectives.reparameterise(values, values, values),
        objectives.elbo(values[0], values[0]),
        objectives.iwae_bound(values),
    ):
        assert keras.backend.standardize_dtype(result.dtype) == dtype


@settings(deadline=None, max_examples=20)
@given(beta=st.floats(0, 10))
def test_beta_weighs_only_the_kl(beta):
    value = float(objectives.elbo(np.array([-80.0]), np.array([20.0]), beta=beta)[0])
    assert value == pytest.approx(-80 - 20 * beta)


def test_shapes_are_checked_inside_a_compiled_function():
    @tf.function(input_signature=[tf.TensorSpec((None, 28, 28)), tf.TensorSpec((None, 28, 1))])
    def loss(x, logits):
        return objectives.bernoulli_log_likelihood(x, logits)

    with pytest.raises(ValueError, match="must have one shape"):
        loss(tf.zeros((2, 28, 28)), tf.zeros((2, 28, 1)))


ONES = np.ones((2, 3))
BAD_INPUTS = [
    (
        lambda: objectives.gaussian_kl(np.ones(2), np.ones(2), np.ones(2), np.ones(3)),
        ValueError,
        r"mean_1 and log_var_2 must have one shape, got \(2,\) and \(3,\)",
    ),
    (lambda: objectives.bernoulli_kl(np.array([1, 2])), TypeError, "logits must be made of floats"),
    (lambda: objectives.bernoulli_kl(np.array([np.nan])), ValueError, "logits holds NaN"),
    (lambda: objectives.kl_divergence(ONES, np.ones((2, 1))), ValueError, "must have one shape"),
    (lambda: objectives.kl_divergence(ONES * np.nan, ONES), ValueError, "mean holds NaN"),
    (lambda: objectives.kl_divergence(ONES, ONES / 0.0), ValueError, "log_var holds NaN"),
    (lambda: objectives.kl_divergence(ONES.astype(int), ONES), TypeError, "made of floats"),
    (lambda: objectives.bernoulli_log_likelihood(ONES * 255, ONES), ValueError, "divide 8-bit"),
    (lambda: objectives.bernoulli_log_likelihood(-ONES, ONES), ValueError, "lie in \\[0, 1\\]"),
    (
        lambda: objectives.bernoulli_log_likelihood(ONES, ONES[:1]),
        ValueError,
        "must have one shape",
    ),
    (
        lambda: objectives.bernoulli_log_likelihood(ONES, ONES, batch_dims=3),
        ValueError,
        "at most 2",
    ),
    (
        lambda: objectives.gaussian_log_likelihood(ONES, ONES, np.ones((1, 3))),
        ValueError,
        "x and log_var must have one shape",
    ),
    (
        lambda: objectives.reparameterise(ONES, ONES[:1], ONES),
        ValueError,
        r"mean and log_var must have one shape, got \(2, 3\) and \(1, 3\)",
    ),
    (lambda: objectives.reparameterise(ONES, ONES, ONES[0]), ValueError, "mean and noise"),
    (lambda: objectives.elbo(ONES[0], ONES[0], beta=-1.0), ValueError, "beta must not be negative"),
    (lambda: objectives.elbo(ONES[0], ONES), ValueError, "log_likelihood and kl"),
    (lambda: objectives.iwae_bound(np.zeros((0, 3))), ValueError, "no draws"),
    (lambda: objectives.iwae_bound(ONES, axis=2), ValueError, "axis 2 does not exist"),
]


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize(("call", "error", "message"), BAD_INPUTS)
def test_bad_input_is_refused_in_words(call, error, message):
    with pytest.raises(error, match=message):
        call()
