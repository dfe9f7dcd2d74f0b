// The playground's five experiments: what is asked, what is done, what is measured, what is claimed.
// Nothing here touches the page: benchmarks/playground.py runs the same file for twenty seeds.
"use strict";

bookLive.experiments = (() => {
  const { vae, tr } = bookLive;
  const { PIXELS, LATENTS } = vae;
  const START = { ...vae.RIGHT, width: 64, rate: 0.004 };
  const DRAWS = 400; // places tried for emptiness
  const NEAR = 0.2; // so near, in standard deviations, a place has a digit
  const FAR = 3; // a draw from the prior lies within it, but for one in ninety

  // A hundred draws from the prior, spread evenly: ten quantiles of a normal in each direction.
  const HALF = [0.126, 0.385, 0.674, 1.036, 1.645];
  const QUANTILES = [...HALF.map((q) => -q).reverse(), ...HALF];
  const PRIOR = Float32Array.from(QUANTILES.flatMap((up) => QUANTILES.flatMap((x) => [x, -up])));

  const average = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  const squared = (a, i, b, j, size) => {
    let sum = 0;
    for (let k = 0; k < size; k++) sum += (a[i * size + k] - b[j * size + k]) ** 2;
    return sum;
  };
  const nearest = (a, i, b, size) => {
    let best = Infinity;
    for (let j = 0; j < b.length / size; j++) best = Math.min(best, squared(a, i, b, j, size));
    return Math.sqrt(best);
  };
  const column = (rows, width, at) =>
    Float32Array.from({ length: rows.length / width }, (_, i) => rows[width * i + at]);

  // The share of the cloud's own room, a normal with its mean and spread, where no digit is near.
  function emptiness(means) {
    const { normal } = bookLive.random(7);
    const axes = [0, 1].map((d) => {
      const values = column(means, LATENTS, d);
      const middle = average(values);
      return [middle, Math.sqrt(average(values.map((v) => (v - middle) ** 2))) || 1];
    });
    const own = means.map((v, i) => (v - axes[i % 2][0]) / axes[i % 2][1]);
    const places = Float32Array.from({ length: LATENTS * DRAWS }, normal);
    const empty = (_, i) => nearest(places, i, own, LATENTS) > NEAR;
    return Array.from({ length: DRAWS }, empty).filter(Boolean).length / DRAWS;
  }

  // What is told of a model, on digits that it never saw. digits: { train, shown }.
  function measure(model, { train, shown }) {
    const code = vae.encode(model, shown);
    const rows = shown.length / PIXELS;
    const means = new Float32Array(LATENTS * rows);
    let kl = 0;
    for (let r = 0; r < rows; r++)
      for (let d = 0; d < LATENTS; d++) {
        const [mean, logVar] = [code[4 * r + d], code[4 * r + LATENTS + d]];
        means[LATENTS * r + d] = mean;
        kl += 0.5 * (mean ** 2 + Math.exp(logVar) - logVar - 1);
      }
    const drawn = vae.decode(model, means);
    const grey = (levels) => 4 * average(levels.map((p) => p * (1 - p)));
    let reconstruction = 0;
    drawn.forEach((level, i) => {
      const p = Math.min(1 - 1e-6, Math.max(1e-6, level));
      reconstruction -= shown[i] * Math.log(p) + (1 - shown[i]) * Math.log(1 - p);
    });
    const prior = vae.decode(model, PRIOR);
    const spreads = Array.from({ length: PIXELS }, (_, k) => {
      const levels = column(prior, PIXELS, k);
      const middle = average(levels);
      return average(levels.map((p) => (p - middle) ** 2));
    });
    const places = Array.from({ length: rows }, (_, r) => r);
    return {
      reconstruction: reconstruction / rows, // nats, drawn from the mean
      kl: kl / rows, // nats
      grey: grey(drawn), // 0: black and white; 1: all of it half grey
      greyOfDigits: grey(shown),
      variety: Math.sqrt(average(spreads)), // how much a hundred decodings differ, a pixel
      outside: average(places.map((r) => +(Math.hypot(means[2 * r], means[2 * r + 1]) > FAR))),
      odd: average(Array.from({ length: 100 }, (_, i) => nearest(prior, i, train, PIXELS))),
      empty: emptiness(means),
    };
  }

  // The share of the blur, beyond the grey that real digits have, that goes from one to the other.
  const cured = (from, to) => (from.grey - to.grey) / (from.grey - from.greyOfDigits);

  const to = (digits) => (number) =>
    Math.abs(number) < 1e5
      ? `${number < 0 ? "\u2212" : ""}${Math.abs(number).toFixed(digits)}`
      : tr(`10 to the power ${Math.floor(Math.log10(number))}`);
  const [one, two] = [to(1), to(2)];
  const percent = (share) => `${Math.round(100 * share)} %`;

  // A stage: what it is called, whether it starts afresh, what differs from START, how many epochs.
  // Stages of one experiment start from the same weights and see the same batches.
  const fresh = (name, settings, epochs) => ({ name, fresh: true, settings, epochs });
  const on = (name, settings, epochs) => ({ name, fresh: false, settings, epochs });
  const LIST = [
    {
      id: "tug",
      title: tr("Tug of war"),
      setup: tr("A VAE trains at \u03b2 = 1. Then \u03b2 jumps to 4, and training goes on."),
      question: tr("What will the two terms do after the jump?"),
      options: [
        tr("Both fall: more training is better"),
        tr("KL falls, reconstruction gets worse"),
        tr("KL rises, reconstruction gets better"),
      ],
      right: 1,
      stages: [
        on("\u03b2 = 1", {}, 10),
        on("\u03b2 = 4", { beta: 4 }, 8),
        on("\u03b2 = \u00bc", { beta: 0.25 }, 8),
      ],
      claims: {
        "at beta 4 the KL term is less than half": ([a, b]) => b.kl < a.kl / 2,
        "at beta 4 reconstruction is worse": ([a, b]) => b.reconstruction > a.reconstruction + 2,
        "at beta 1/4 the KL term is larger than at 1": ([a, , c]) => c.kl > 1.4 * a.kl,
        "at beta 1/4 reconstruction is better than at 1": ([a, , c]) =>
          c.reconstruction < a.reconstruction - 1,
      },
      told: ([a, b, c]) => tr(
        `Reconstruction went from ${one(a.reconstruction)} to ${one(b.reconstruction)} nats, ` +
        `the KL term from ${two(a.kl)} to ${two(b.kl)}. Then \u03b2 fell to a quarter: ` +
        `${one(c.reconstruction)} and ${two(c.kl)}.`,
      ),
      why: tr(
        "The KL term is what a code costs, the reconstruction term what it buys. A higher \u03b2 " +
        "makes nats dearer, so fewer are spent and the pictures get worse; a lower \u03b2 makes them cheap.",
      ),
    },
    {
      id: "collapse",
      title: tr("Collapse"),
      setup: tr(
        "The reconstruction term is averaged over the 196 pixels, where it should be summed. " +
        "Many programs do that by mistake.",
      ),
      question: tr("What will the latent map look like?"),
      options: [
        tr("As always: a constant factor does not matter"),
        tr("Wider: the pixels count for more"),
        tr("All digits in one heap, and one picture for all"),
      ],
      right: 2,
      stages: [
        fresh(tr("mean in place of sum"), { mean: true }, 8),
        on(tr("the sum again"), {}, 14),
      ],
      claims: {
        "the KL term is next to nothing": ([a]) => a.kl < 0.05,
        "all decodings are alike": ([a]) => a.variety < 0.01,
        "with the sum the codes come back": ([, b]) => b.kl > 1 && b.variety > 0.05,
      },
      told: ([a, b]) => tr(
        `The KL term fell to ${two(a.kl)} nats: the code says nothing, and a hundred draws gave one ` +
        `picture. With the sum again it rose to ${two(b.kl)}.`,
      ),
      why: tr(
        "A mean over 196 pixels is the sum divided by 196. That is the same as a \u03b2 of 196: no code is " +
        "worth its price. The best that is left is to draw the average digit for everyone.",
      ),
    },
    {
      id: "holes",
      title: tr("Holes"),
      setup: tr(
        "First a VAE. Then the same network without noise and without the KL term: an autoencoder. " +
        "Both then draw pictures from the prior.",
      ),
      question: tr("What does the autoencoder gain or lose?"),
      options: [
        tr("Better reconstructions, and odd pictures from the prior"),
        tr("Better reconstructions, and better pictures from the prior"),
        tr("Worse reconstructions: noise helps training"),
      ],
      right: 0,
      stages: [fresh(tr("a VAE"), {}, 15), fresh(tr("an autoencoder"), { noise: false }, 15)],
      claims: {
        "the autoencoder reconstructs better": ([a, b]) => b.reconstruction < a.reconstruction,
        "a quarter of its digits lie where the prior hardly draws": ([a, b]) =>
          b.outside > 0.25 && a.outside < 0.05,
        "what it draws from the prior is farther from any digit": ([a, b]) => b.odd > a.odd,
        "more of its own room is empty": ([a, b]) => b.empty > a.empty,
      },
      told: ([a, b]) => tr(
        `Reconstruction: ${one(a.reconstruction)} nats for the VAE, ${one(b.reconstruction)} for the ` +
        `autoencoder. But ${percent(b.outside)} of its digits lie beyond the outer circle (VAE: ` +
        `${percent(a.outside)}), and ${percent(b.empty)} of its room is empty (VAE: ${percent(a.empty)}).`,
      ),
      why: tr(
        "Nobody told the autoencoder where to put its codes, nor to fill the room between them. " +
        "Reconstructing needs neither. Drawing new digits needs both.",
      ),
    },
    {
      id: "blur",
      title: tr("Blur"),
      setup: tr(
        "A VAE draws blurred digits. Then the same network trains without noise and without the KL term, " +
        "and a third time with \u03b2 = 4.",
      ),
      question: tr("How much of the blur goes when noise and KL term go?"),
      options: [tr("Nearly all: the noise makes the blur"), tr("About half"), tr("Little")],
      right: 2,
      stages: [
        fresh(tr("a VAE"), {}, 12),
        fresh(tr("no noise, no KL"), { noise: false }, 12),
        fresh("\u03b2 = 4", { beta: 4 }, 12),
      ],
      claims: {
        "less than a third of the blur goes with the noise": ([a, b]) =>
          cured(a, b) > 0 && cured(a, b) < 1 / 3,
        "a higher beta blurs more": ([a, , c]) => c.grey > a.grey + 0.02,
      },
      told: ([a, b, c]) => tr(
        `Of the VAE's blur ${percent(cured(a, b))} went with noise and KL. Grey in the digits: ` +
        `${two(a.greyOfDigits)}; in the VAE's reconstructions ${two(a.grey)}, without noise ` +
        `${two(b.grey)}, at \u03b2 = 4 ${two(c.grey)}.`,
      ),
      why: tr(
        "Two numbers cannot tell apart all the digits that share them. The decoder answers with the average of " +
        "all that may be meant, and an average is grey. A higher \u03b2 lets more digits share a place.",
      ),
    },
    {
      id: "sign",
      title: tr("Wrong sign"),
      setup: tr("The KL term is subtracted where it should be added."),
      question: tr("What will the loss and the pictures do?"),
      options: [
        tr("The loss rises, so one notices at once"),
        tr("The loss falls and falls, and the pictures get worse"),
        tr("Nothing much: the KL term is small"),
      ],
      right: 1,
      stages: [fresh(tr("the right sign"), {}, 4), fresh(tr("the wrong sign"), { flipped: true }, 4)],
      claims: {
        "the KL term grows beyond a million nats": ([, b]) => b.kl > 1e6,
        "the loss is lower than with the right sign": ([a, b]) =>
          b.reconstruction - b.kl < a.reconstruction + a.kl,
        "reconstruction is worse": ([a, b]) => b.reconstruction > a.reconstruction + 5,
      },
      told: ([a, b]) => tr(
        `The KL term grew to ${one(b.kl)} nats, so the loss fell without end. Reconstruction: ` +
        `${one(b.reconstruction)} nats, against ${one(a.reconstruction)} with the right sign.`,
      ),
      why: tr(
        "Training now earns by running away from the prior, and there is no limit to that. A loss that falls " +
        "is no proof of learning: look at its terms, and at the pictures.",
      ),
    },
  ];

  // An experiment from end to end, without a page: what was measured after each stage.
  function run({ stages }, digits, seed) {
    let trainer = null;
    return stages.map((stage) => {
      const settings = { ...START, ...stage.settings };
      if (trainer === null || stage.fresh)
        trainer = vae.trainer(digits.train, settings, bookLive.random(seed));
      trainer.settings = settings;
      const steps = stage.epochs * Math.ceil(digits.train.length / PIXELS / vae.BATCH);
      for (let i = 0; i < steps; i++) trainer.step();
      return measure(trainer.model, digits);
    });
  }
  const hold = ({ claims }, measures) =>
    Object.fromEntries(Object.entries(claims).map(([name, holds]) => [name, holds(measures)]));

  return { LIST, START, PRIOR, QUANTILES, measure, run, hold };
})();
