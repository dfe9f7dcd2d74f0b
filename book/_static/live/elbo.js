// The ELBO bars of chapter 2: one pixel, one latent, every number exact.
"use strict";

bookLive.figure("fig-elbo-bars", [], (panel) => {
  const { element, svg, signed, tr } = bookLive;
  // p(z) = N(0, 1), p(x | z) = N(w z + b, sigma^2): the chapter's model, first pixel, first latent.
  const MODEL = { w: 1.0, b: 0.2, sigma: 0.7 };
  const noise = MODEL.sigma ** 2;
  const logNormal = (x, mean, variance) =>
    -0.5 * (Math.log(2 * Math.PI * variance) + (x - mean) ** 2 / variance);

  function posterior(x) {
    const variance = 1 / (1 + MODEL.w ** 2 / noise);
    return { mean: (variance * MODEL.w * (x - MODEL.b)) / noise, variance };
  }

  function terms({ mean, logVar, x }) {
    const variance = Math.exp(logVar);
    const misses = (x - MODEL.b - MODEL.w * mean) ** 2 + MODEL.w ** 2 * variance;
    const logLikelihood = -0.5 * (Math.log(2 * Math.PI * noise) + misses / noise);
    const kl = 0.5 * (mean ** 2 + variance - logVar - 1);
    const evidence = logNormal(x, MODEL.b, MODEL.w ** 2 + noise);
    const elbo = logLikelihood - kl;
    return { logLikelihood, kl, elbo, evidence, gap: Math.max(0, evidence - elbo) };
  }

  const state = { mean: -1, logVar: 0, x: 1.2 };

  // -- Above: the densities of z. Below: the sum as steps down from zero. Units are pixels. --------

  const REACH = 4; // of the densities' axis
  const TALLEST = 1.2; // no axis depends on q: what does not depend on it stays where it is
  const CURVES = { top: 8, bottom: 128, height: 150 };
  const LEAST = -12; // of the bars' axis; longer bars are cut, and an arrow says so
  const BARS = { left: 164, top: 14, step: 34, thick: 22, height: 212 };
  const NAMES = ["E log p(x | z)", "\u2212KL[q \u2016 p(z)]", "ELBO", "log p(x)", tr("the gap")];
  const CLASSES = ["live-good", "live-price", "live-bound", "live-evidence", "live-gap"];
  const curves = svg("svg", { role: "img", class: "live-cut" });
  const bars = svg("svg", { role: "img" });
  let width = 640;

  const toX = (z) => 12 + ((width - 24) * (z + REACH)) / (2 * REACH);

  function curve(mean, variance, kind) {
    const points = Array.from({ length: 241 }, (_, i) => {
      const z = -REACH + (2 * REACH * i) / 240;
      const height = Math.exp(logNormal(z, mean, variance)) / TALLEST;
      const y = CURVES.bottom - height * (CURVES.bottom - CURVES.top);
      return `${toX(z).toFixed(1)} ${y.toFixed(1)}`;
    });
    return svg("path", { d: `M${points.join("L")}`, class: `live-curve ${kind}` });
  }

  function drawCurves(truth) {
    const { bottom, height } = CURVES;
    const parts = [svg("path", { d: `M0 ${bottom}H${width}`, class: "live-axis" })];
    for (let z = -REACH; z <= REACH; z++) {
      const place = { x: toX(z), y: bottom + 17, class: "live-tick live-middle" };
      parts.push(svg("text", place, signed(z, 0)));
    }
    parts.push(curve(0, 1, "live-prior"));
    parts.push(curve(truth.mean, truth.variance, "live-truth"));
    parts.push(curve(state.mean, Math.exp(state.logVar), "live-q"));
    curves.setAttribute("viewBox", `0 0 ${width} ${height}`);
    curves.replaceChildren(...parts);
  }

  // What is drawn is part of the sum: where a bar starts, where it ends, what it says.
  const barsOf = ({ logLikelihood, kl, elbo, evidence, gap }) => [
    [0, logLikelihood, logLikelihood],
    [logLikelihood, elbo, -kl],
    [0, elbo, elbo],
    [0, evidence, evidence],
    [evidence, elbo, gap],
  ];

  function drawBars(values) {
    const { left, top, step, thick, height } = BARS;
    const right = width - 12;
    const bottom = top + NAMES.length * step;
    const at = (value) => right - ((right - left) * Math.max(value, LEAST)) / LEAST;
    const parts = [];
    for (let value = 0; value >= LEAST; value -= 3) {
      parts.push(svg("path", { d: `M${at(value)} ${top - 6}V${bottom}`, class: "live-grid" }));
      const place = { x: at(value), y: bottom + 16, class: "live-tick live-middle" };
      parts.push(svg("text", place, signed(value, 0)));
    }
    barsOf(values).forEach(([from, to, value], row) => {
      const y = top + step * row;
      const box = { x: at(to), y, width: Math.max(1, at(from) - at(to)), height: thick };
      parts.push(svg("rect", { ...box, class: CLASSES[row] }));
      const tip = `M${left - 1} ${y - 2}v${thick + 4}h5l-4 ${-thick / 2 - 2}l4 ${-thick / 2 - 2}z`;
      if (to < LEAST) parts.push(svg("path", { d: tip, class: "live-torn" }));
      parts.push(svg("text", { x: 0, y: y + 16 }, NAMES[row]));
      parts.push(
        svg("text", { x: left - 12, y: y + 16, class: "live-number" }, signed(value, 2)),
      );
    });
    const { elbo, evidence } = values;
    const ends = `M${at(elbo)} ${top + 2 * step + thick}V${bottom}`;
    parts.push(svg("path", { d: ends, class: "live-axis" }));
    parts.push(svg("path", { d: `M${at(evidence)} ${top - 10}V${bottom}`, class: "live-limit" }));
    bars.setAttribute("viewBox", `0 0 ${width} ${height}`);
    bars.replaceChildren(...parts);
  }

  const voice = bookLive.announcer();

  function draw() {
    const values = terms(state);
    const truth = posterior(state.x);
    drawCurves(truth);
    drawBars(values);
    const { gap } = values;
    const words =
      gap < 0.0005
        ? tr("The gap is 0.00 nats: q is the exact posterior, and the ELBO equals log p(x).")
        : tr(`The ELBO lies ${gap.toFixed(2)} nats below log p(x). This gap is the KL divergence of q from the exact posterior.`);
    const all = barsOf(values).map(([, , value], i) => `${NAMES[i]} ${signed(value, 2)}`);
    bars.setAttribute("aria-label", tr(`Bars in nats: ${all.join(tr(", "))}.`));
    curves.setAttribute(
      "aria-label",
      tr(
        `Densities of z: prior; exact posterior with mean ${signed(truth.mean, 2)} and variance ` +
          `${truth.variance.toFixed(2)}; q with mean ${signed(state.mean, 2)} and variance ${Math.exp(state.logVar).toFixed(2)}.`,
      ),
    );
    voice.say(words);
  }

  const ranges = {
    mean: [tr("mean of q"), { min: -3, max: 3, step: 0.05 }],
    logVar: [tr("log-variance"), { min: -4, max: 2, step: 0.05 }],
    x: [tr("observation x"), { min: -3, max: 3, step: 0.05 }],
  };
  const sliders = {};
  for (const [name, [label, range]] of Object.entries(ranges)) {
    const change = (value) => set({ [name]: value });
    sliders[name] = bookLive.slider(label, {
      ...range,
      value: state[name],
      format: (v) => signed(v, 2),
      change,
    });
  }

  function set(values) {
    Object.assign(state, values);
    for (const [name, slider] of Object.entries(sliders)) slider.set(state[name]);
    draw();
  }

  const exact = () => {
    const truth = posterior(state.x);
    set({ mean: truth.mean, logVar: Math.log(truth.variance) });
  };
  const buttons = element(
    "p",
    { class: "live-buttons" },
    element("button", { type: "button", onclick: exact }, tr("Make q the exact posterior")),
    element(
      "button",
      { type: "button", onclick: () => set({ mean: 0, logVar: 0 }) },
      tr("Make q the prior"),
    ),
  );
  const key = element("p", { class: "live-key", "aria-hidden": "true" });
  for (const [kind, name] of [
    ["live-prior", tr("prior")],
    ["live-truth", tr("exact posterior")],
    ["live-q", "q"],
  ]) {
    const line = svg("svg", { viewBox: "0 0 34 10", class: "live-sample" });
    line.append(svg("path", { d: "M1 5H33", class: `live-curve ${kind}` }));
    key.append(element("span", {}, line, ` ${name}`));
  }
  panel.classList.add("live-elbo");
  panel.append(
    key,
    curves,
    bars,
    voice.text,
    ...Object.values(sliders).map((slider) => slider.row),
    buttons,
  );
  draw();
  new ResizeObserver(() => {
    if (!panel.clientWidth || panel.clientWidth === width) return;
    width = panel.clientWidth;
    draw();
  }).observe(panel);
  bookLive.elbo = { set, exact, values: () => ({ ...state, ...terms(state) }), model: MODEL };
});
