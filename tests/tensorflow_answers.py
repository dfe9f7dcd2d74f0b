"""The exercises answered in TensorFlow, as a reader might who thinks in tensors.

A plain integer formula, or a decision, has no other form in TensorFlow; those exercises are named
in WITHOUT.
"""

import math

from vae_tutorial._tensorflow import tf

WITHOUT = {
    "convolution_parameters",
    "name_the_fault",
    "warmup_weight",
    "equivalent_beta",
    "gallery_bytes",
    "memorises_from",
    "without_itself",
}


def precision_at_k(relevant, k):
    return tf.reduce_mean(tf.cast(relevant[:, :k], tf.float32), axis=1)


def top_k(distances, k):
    return tf.math.top_k(-tf.constant(distances), k).indices


def average_precision(distances, relevant):
    ranked = tf.gather(tf.constant(relevant), tf.argsort(distances, stable=True))
    ranked = tf.cast(ranked, tf.float32)
    precision = tf.cumsum(ranked) / tf.range(1.0, len(ranked) + 1.0)
    return tf.reduce_sum(precision * ranked) / tf.reduce_sum(ranked)


def pca_reconstruct(images, k):
    mean = tf.reduce_mean(images, axis=0)
    _, _, v = tf.linalg.svd(images - mean)
    return mean + (images - mean) @ v[:, :k] @ tf.transpose(v[:, :k])


def share_by_chance(query_labels, gallery_labels):
    relevant = tf.constant(query_labels)[:, tf.newaxis] == gallery_labels
    return tf.reduce_mean(tf.cast(relevant, tf.float32), axis=1)


def draws_needed(log_ratios, error):
    return tf.math.ceil(tf.math.reduce_variance(log_ratios) / error**2)


def kl_to_scaled_prior(mean, log_var, prior_variance):
    in_its_units = (tf.square(mean) + tf.exp(log_var)) / prior_variance
    return 0.5 * tf.reduce_sum(in_its_units + math.log(prior_variance) - log_var - 1, axis=-1)


def log_normal_draws(mean, log_var, noise):
    return tf.exp(mean + tf.exp(0.5 * log_var) * noise)


def elbo_of_batch(log_likelihood, kl):
    return tf.reduce_mean(log_likelihood - kl)


def effective_draws(log_weights):
    shares = tf.nn.softmax(log_weights, axis=-1)
    return 1 / tf.reduce_sum(tf.square(shares), axis=-1)


def categorical_log_likelihood(levels, logits):
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=levels, logits=logits)
    return -tf.reduce_sum(losses, axis=-1)


def laplace_log_likelihood(x, mean, log_scale):
    size = tf.abs(x - mean) / math.exp(log_scale)
    return -tf.reduce_sum(math.log(2) + log_scale + size, axis=-1)


def active_units(means, threshold):
    return tf.math.count_nonzero(tf.math.reduce_variance(means, axis=0) > threshold)


def free_bits(kl, floor):
    return tf.reduce_sum(tf.maximum(tf.reduce_mean(kl, axis=0), floor))


def squared_distances(queries, gallery):
    lengths = tf.reduce_sum(queries**2, axis=1)[:, tf.newaxis] + tf.reduce_sum(gallery**2, axis=1)
    return lengths - 2 * tf.matmul(queries, gallery, transpose_b=True)


def cosine_similarity(queries, gallery):
    queries, gallery = tf.math.l2_normalize(queries, axis=1), tf.math.l2_normalize(gallery, axis=1)
    return tf.matmul(queries, gallery, transpose_b=True)


def query_expansion(query, neighbours):
    return tf.reduce_mean(tf.concat([query[tf.newaxis], neighbours], axis=0), axis=0)


def shift_image(image, down, right):
    rows, columns = image.shape
    return tf.pad(image[: rows - down, : columns - right], [[down, 0], [right, 0]])


def hamming_distances(query, gallery):
    differ = tf.bitwise.bitwise_xor(query, gallery)
    return tf.reduce_sum(tf.cast(tf.raw_ops.PopulationCount(x=differ), tf.int32), axis=1)


def bits_of(log_odds):
    return tf.cast(log_odds > 0, tf.int32)


def pq_encode(vectors, codebooks):
    parts = tf.reshape(vectors, [len(vectors), len(codebooks), 1, -1])
    return tf.argmin(tf.reduce_sum((parts - codebooks) ** 2, axis=-1), axis=-1)


def mean_reciprocal_rank(found, right):
    hits = tf.cast(found == right[:, tf.newaxis], tf.float32)
    ranks = tf.range(1.0, found.shape[1] + 1.0)
    return tf.reduce_mean(tf.reduce_sum(hits / ranks, axis=1))


def held_out_images(symbols, every):
    return tf.equal(tf.math.floormod(symbols, every), 0)


def product_of_experts(means, log_vars):
    precisions = tf.exp(-log_vars)
    total = 1 + tf.reduce_sum(precisions, axis=0)
    return tf.reduce_sum(precisions * means, axis=0) / total, -tf.math.log(total)


def pool_clip(descriptors):
    return tf.reduce_mean(descriptors, axis=1)


def distance_shares(query, match):
    squared = tf.math.squared_difference(query, match)
    return squared / tf.reduce_sum(squared)


def distance_without(query, match, deleted):
    counted = 1 - tf.reduce_sum(tf.one_hot(deleted, len(query), dtype=tf.float64), axis=0)
    return tf.reduce_sum(counted * (query - match) ** 2)


def merge_shards(distances, ids, k):
    nearest = tf.math.top_k(-tf.reshape(distances, [-1]), k).indices
    return tf.gather(tf.reshape(ids, [-1]), nearest)
