// A dense variational autoencoder that trains in the page: its network, loss, gradients and Adam.
// Numbers only: nothing here touches the page, so that a test can ask TensorFlow the same questions.
"use strict";

bookLive.vae = (() => {
  const PIXELS = 196; // 14 x 14
  const LATENTS = 2;
  const BATCH = 32;
  const REACH = 10; // log-variances are held in [-10, 10], as the library holds them
  const ADAM = { fast: 0.9, slow: 0.999, epsilon: 1e-7 };

  // -- The network: all numbers in one array, each layer a view of it ------------------------------

  const shapes = (width) => ({
    encoder: [PIXELS, width, width, 2 * LATENTS], // two means, then two log-variances
    decoder: [LATENTS, width, width, PIXELS], // logits of the pixels
  });
  const pairs = (sizes) => sizes.slice(1).map((outputs, i) => [sizes[i], outputs]);
  const sizeOf = (width) =>
    Object.values(shapes(width))
      .flatMap(pairs)
      .reduce((total, [inputs, outputs]) => total + (inputs + 1) * outputs, 0);

  // Kernel and bias of each layer, encoder first, as views of one array.
  function layersOf(numbers, width) {
    let at = 0;
    const take = (n) => numbers.subarray(at, (at += n));
    const half = (sizes) =>
      pairs(sizes).map(([inputs, outputs]) => ({
        inputs,
        outputs,
        kernel: take(inputs * outputs),
        bias: take(outputs),
      }));
    const { encoder, decoder } = shapes(width);
    return { encoder: half(encoder), decoder: half(decoder) };
  }

  // Weights start as Keras's do (Glorot and Bengio 2010), biases at 0.
  function create(width, uniform) {
    const numbers = new Float32Array(sizeOf(width));
    const model = { width, numbers, ...layersOf(numbers, width), steps: 0 };
    for (const { kernel, inputs, outputs } of [...model.encoder, ...model.decoder]) {
      const limit = Math.sqrt(6 / (inputs + outputs));
      for (let i = 0; i < kernel.length; i++) kernel[i] = limit * (2 * uniform() - 1);
    }
    model.gradient = new Float32Array(numbers.length);
    model.slopes = layersOf(model.gradient, width);
    model.moments = [new Float32Array(numbers.length), new Float32Array(numbers.length)];
    return model;
  }

  // -- Layers --------------------------------------------------------------------------------------

  // One layer for a batch. Inputs that are 0, most pixels and half of the hidden units, cost nothing.
  function dense(input, rows, { inputs, outputs, kernel, bias }, rectify) {
    const result = new Float32Array(rows * outputs);
    for (let r = 0; r < rows; r++) {
      const row = result.subarray(r * outputs, (r + 1) * outputs);
      row.set(bias);
      for (let i = 0; i < inputs; i++) {
        const value = input[r * inputs + i];
        if (value === 0) continue;
        for (let j = 0, at = i * outputs; j < outputs; j++, at++) row[j] += value * kernel[at];
      }
      if (rectify) for (let j = 0; j < outputs; j++) if (row[j] < 0) row[j] = 0;
    }
    return result;
  }

  // Every layer's output, the input first; all but the last are rectified.
  function through(layers, input, rows) {
    const outputs = [input];
    layers.forEach((layer, i) =>
      outputs.push(dense(outputs[i], rows, layer, i + 1 < layers.length)),
    );
    return outputs;
  }

  // Backpropagation: adds to the slopes of kernels and biases, and returns the slope of the input.
  function back(layers, slopes, outputs, slope, rows, whole) {
    for (let l = layers.length - 1; l >= 0; l--) {
      const { inputs, outputs: width, kernel } = layers[l];
      const { kernel: ofKernel, bias: ofBias } = slopes[l];
      const input = outputs[l];
      const wanted = l > 0 || whole; // nobody asks for the slope of the pixels
      const next = wanted ? new Float32Array(rows * inputs) : null;
      for (let r = 0; r < rows; r++) {
        const row = slope.subarray(r * width, (r + 1) * width);
        for (let j = 0; j < width; j++) ofBias[j] += row[j];
        for (let i = 0; i < inputs; i++) {
          const value = input[r * inputs + i];
          if (value === 0) continue; // of a rectified unit: no slope passes either
          let sum = 0;
          for (let j = 0, at = i * width; j < width; j++, at++) {
            ofKernel[at] += value * row[j];
            sum += kernel[at] * row[j];
          }
          if (wanted) next[r * inputs + i] = sum;
        }
      }
      slope = next;
    }
    return slope;
  }

  // -- The loss ------------------------------------------------------------------------------------

  // What is minimised: beta weights the KL term; without noise the decoder sees the mean, and the
  // KL term goes too (an autoencoder); mean divides the reconstruction term by the number of pixels,
  // where a sum belongs; flipped gives the KL term the wrong sign.
  const RIGHT = { beta: 1, noise: true, mean: false, flipped: false };
  const weights = ({ beta, noise, mean, flipped }) => ({
    reconstruction: mean ? 1 / PIXELS : 1,
    kl: noise ? (flipped ? -beta : beta) : 0,
  });
  const lossOf = (terms, objective) => {
    const weight = weights(objective);
    return weight.reconstruction * terms.reconstruction + weight.kl * terms.kl;
  };

  // Both terms of a batch, in nats per image, and the gradient of the loss in model.gradient.
  // images: rows x 196 in [0, 1]; noise: rows x 2, standard normal.
  function gradients(model, images, noise, objective) {
    const rows = images.length / PIXELS;
    const weight = weights(objective);
    const encoded = through(model.encoder, images, rows);
    const code = encoded.at(-1);
    const z = new Float32Array(rows * LATENTS);
    const ofCode = new Float32Array(code.length);
    let [reconstruction, kl] = [0, 0];
    const each = (act) => {
      for (let r = 0; r < rows; r++)
        for (let d = 0; d < LATENTS; d++) {
          const [m, v, at] = [2 * LATENTS * r + d, 2 * LATENTS * r + LATENTS + d, LATENTS * r + d];
          act(m, v, at, Math.min(REACH, Math.max(-REACH, code[v])));
        }
    };
    each((m, v, at, logVar) => {
      z[at] = code[m] + (objective.noise ? Math.exp(logVar / 2) * noise[at] : 0);
      kl += 0.5 * (code[m] ** 2 + Math.exp(logVar) - logVar - 1);
    });
    const decoded = through(model.decoder, z, rows);
    const logits = decoded.at(-1);
    const ofLogits = new Float32Array(logits.length);
    for (let i = 0; i < logits.length; i++) {
      const small = Math.exp(-Math.abs(logits[i])); // never overflows
      reconstruction += Math.max(logits[i], 0) - logits[i] * images[i] + Math.log(1 + small);
      const level = (logits[i] < 0 ? small : 1) / (1 + small);
      ofLogits[i] = (weight.reconstruction * (level - images[i])) / rows;
    }
    model.gradient.fill(0);
    const ofZ = back(model.decoder, model.slopes.decoder, decoded, ofLogits, rows, true);
    each((m, v, at, logVar) => {
      ofCode[m] = ofZ[at] + (weight.kl * code[m]) / rows;
      if (logVar !== code[v]) return; // held at a limit
      const spread = objective.noise ? 0.5 * Math.exp(logVar / 2) * noise[at] * ofZ[at] : 0;
      ofCode[v] = spread + (weight.kl * 0.5 * (Math.exp(logVar) - 1)) / rows;
    });
    back(model.encoder, model.slopes.encoder, encoded, ofCode, rows, false);
    return { reconstruction: reconstruction / rows, kl: kl / rows };
  }

  // One step of Adam (Kingma and Ba 2015) along model.gradient.
  function update(model, rate) {
    const { numbers, gradient, moments } = model;
    const [first, second] = moments;
    model.steps++;
    const size =
      (rate * Math.sqrt(1 - ADAM.slow ** model.steps)) / (1 - ADAM.fast ** model.steps);
    for (let i = 0; i < numbers.length; i++) {
      first[i] += (1 - ADAM.fast) * (gradient[i] - first[i]);
      second[i] += (1 - ADAM.slow) * (gradient[i] ** 2 - second[i]);
      numbers[i] -= (size * first[i]) / (Math.sqrt(second[i]) + ADAM.epsilon);
    }
  }

  // -- Asking the model ----------------------------------------------------------------------------

  // Means and log-variances of images: rows x 4.
  const encode = (model, images) => {
    const code = through(model.encoder, images, images.length / PIXELS).at(-1);
    return code.map((v, i) => (i % 4 < LATENTS ? v : Math.min(REACH, Math.max(-REACH, v))));
  };
  // Grey levels for places in the latent plane: rows x 196.
  const decode = (model, z) =>
    through(model.decoder, z, z.length / LATENTS)
      .at(-1)
      .map((logit) => 1 / (1 + Math.exp(-logit)));

  // -- Training ------------------------------------------------------------------------------------

  // Batches in a new order each epoch. step() takes one and returns its two terms; the settings may
  // change between two steps, but for the width.
  function trainer(images, settings, random) {
    const count = images.length / PIXELS;
    const model = create(settings.width, random.uniform);
    const order = Uint32Array.from({ length: count }, (_, i) => i);
    let place = count; // so that the first step shuffles
    const self = { model, settings, seen: 0 };
    self.step = () => {
      if (place >= count) {
        place = 0;
        for (let i = count - 1; i > 0; i--) {
          const j = Math.floor(random.uniform() * (i + 1));
          [order[i], order[j]] = [order[j], order[i]];
        }
      }
      const rows = order.subarray(place, place + BATCH);
      const batch = new Float32Array(rows.length * PIXELS);
      rows.forEach((row, i) =>
        batch.set(images.subarray(row * PIXELS, (row + 1) * PIXELS), i * PIXELS),
      );
      const noise = Float32Array.from({ length: rows.length * LATENTS }, random.normal);
      const terms = gradients(model, batch, noise, self.settings);
      update(model, self.settings.rate);
      place += rows.length;
      self.seen += rows.length;
      return terms;
    };
    self.epochs = () => self.seen / count;
    return self;
  }

  // Images arrive with two pixels in a byte, as levels from 0 to 15.
  const unpacked = (bytes) =>
    Float32Array.from({ length: 2 * bytes.length }, (_, i) => {
      const byte = bytes[i >> 1];
      return (i % 2 ? byte & 15 : byte >> 4) / 15;
    });

  return {
    PIXELS, LATENTS, BATCH, RIGHT, create, gradients, update, encode, decode, trainer, lossOf,
    weights, unpacked,
  };
})();
