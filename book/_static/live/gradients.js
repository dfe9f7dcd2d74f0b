// Two clouds of arrows: single draws of a gradient, by the score function and reparameterised.
"use strict";

bookLive.figure("fig-gradients", [], (panel) => {
  const { element, svg, signed, tr } = bookLive;
  // The linear-Gaussian model of chapter 2 and its image; q has mean 0, so that f has this slope.
  const MODEL = {
    W: [[1.0, 0.6], [0.8, 0.9], [0.6, 1.0], [0.3, 0.2], [-0.4, -0.1]],
    b: [0.2, 0.1, 0.0, -0.1, 0.3],
    x: [1.488011, 0.757527, 0.848296, 0.32343, -0.624969],
    sigma: 0.7,
  };
  const { W, b, x } = MODEL;
  const noise = MODEL.sigma ** 2;
  const MOST = 200; // draws at hand
  const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
  const mean = (pairs) => [0, 1].map((axis) => sum(pairs.map((p) => p[axis])) / pairs.length);
  const misses = (z) => W.map((row, i) => x[i] - b[i] - row[0] * z[0] - row[1] * z[1]);
  const slope = (z) => [0, 1].map((axis) => sum(misses(z).map((m, i) => m * W[i][axis])) / noise);
  const f = (z) => -0.5 * sum(misses(z).map((m) => m ** 2 / noise + Math.log(2 * Math.PI * noise)));
  const exact = slope([0, 0]);

  // One gradient with respect to the mean of q for each pair of noise.
  function gradients(pairs, sd, baseline) {
    const zs = pairs.map((pair) => pair.map((e) => sd * e));
    const values = zs.map(f);
    const calm = baseline ? sum(values) / values.length : 0;
    return {
      score: pairs.map((pair, i) => pair.map((e) => ((values[i] - calm) * e) / sd)),
      slope: zs.map(slope),
    };
  }
  const error = (pairs) =>
    Math.sqrt(sum(pairs.map((p) => (p[0] - exact[0]) ** 2 + (p[1] - exact[1]) ** 2)) / pairs.length);

  const { normal } = bookLive.random(1);
  const pair = () => [normal(), normal()];
  let draws = Array.from({ length: MOST }, pair);
  const state = { n: 60, sd: 1, baseline: false };

  const REACH = 60; // of both axes, whatever is drawn: the two clouds have one scale
  const SIZE = 300;
  const at = ([right, up]) => [
    (SIZE / 2) * (1 + right / REACH),
    (SIZE / 2) * (1 - up / REACH),
  ];
  const line = (to, kind) => {
    const [[x1, y1], [x2, y2]] = [at([0, 0]), at(to)].map((p) => p.map((v) => v.toFixed(1)));
    return svg("path", { d: `M${x1} ${y1}L${x2} ${y2}`, class: kind });
  };
  const clouds = [
    ["score", tr("Score function"), "live-arrow live-by-score"],
    ["slope", tr("Reparameterised"), "live-arrow live-by-slope"],
  ].map(([name, title, kind]) => {
    const plane = svg("svg", { role: "img", class: "live-cut", viewBox: `0 0 ${SIZE} ${SIZE}` });
    const note = element("p", { class: "live-note" });
    const head = element("p", { class: "live-title" }, title);
    return { name, title, kind, plane, note, box: element("div", {}, head, plane, note) };
  });
  const voice = bookLive.announcer();

  function draw() {
    const all = gradients(draws.slice(0, state.n), state.sd, state.baseline);
    const off = {};
    for (const { name, title, kind, plane, note } of clouds) {
      const average = mean(all[name]);
      const far = Math.hypot(average[0] - exact[0], average[1] - exact[1]);
      off[name] = { one: error(all[name]), average: far };
      const parts = [-40, -20, 0, 20, 40].flatMap((value) => {
        const [across, down] = at([value, value]);
        return [
          svg("path", { d: `M${across} 0V${SIZE}M0 ${down}H${SIZE}`, class: "live-grid" }),
          svg("text", { x: across, y: SIZE - 5, class: "live-tick live-middle" }, signed(value, 0)),
        ];
      });
      for (const gradient of all[name]) {
        const [cx, cy] = at(gradient).map((v) => v.toFixed(1));
        parts.push(line(gradient, kind), svg("circle", { cx, cy, r: 2, class: kind }));
      }
      const [cx, cy] = at(exact);
      const [endX, endY] = at(average);
      parts.push(line(average, "live-average"));
      parts.push(svg("circle", { cx: endX, cy: endY, r: 4, class: "live-average" }));
      parts.push(svg("circle", { cx, cy, r: 8, class: "live-target" }));
      plane.replaceChildren(...parts);
      plane.setAttribute(
        "aria-label",
        tr(
          `${title}: ${state.n} draws as arrows from 0. Their mean is (${signed(average[0])}, ` +
            `${signed(average[1])}), the exact gradient (${signed(exact[0])}, ${signed(exact[1])}).`,
        ),
      );
      note.textContent = tr(`One draw is off by ${off[name].one.toFixed(1)}, the mean of ${state.n} by ${far.toFixed(1)}.`);
    }
    const ratio = (off.score.one / off.slope.one) ** 2;
    const more = tr(`By these draws, the score function needs ${ratio.toFixed(0)} times as many for the same accuracy.`);
    const each = tr(`One draw is off by ${off.score.one.toFixed(1)} by the score function and by ${off.slope.one.toFixed(1)} reparameterised.`);
    voice.say(more, tr(`${each} ${more}`));
  }

  const set = (values) => {
    Object.assign(state, values);
    sliders.n.set(state.n);
    sliders.sd.set(state.sd);
    calm.setAttribute("aria-pressed", state.baseline);
    draw();
  };
  const slider = (label, name, range, format) =>
    bookLive.slider(label, { ...range, format, change: (value) => set({ [name]: value }) });
  const sliders = {
    n: slider(tr("draws"), "n", { min: 1, max: MOST, step: 1, value: state.n }, String),
    sd: slider(tr("\u03c3 of q"), "sd", { min: 0.3, max: 1.5, step: 0.05, value: 1 }, (v) => v.toFixed(2)),
  };
  const button = (words, onclick) => element("button", { type: "button", onclick }, words);
  const calm = button(tr("With baseline"), () => set({ baseline: !state.baseline }));
  const again = button(tr("Draw anew"), () => {
    draws = Array.from({ length: MOST }, pair);
    draw();
  });
  const key = element("p", { class: "live-key", "aria-hidden": "true" });
  for (const [shape, words] of [
    [svg("path", { d: "M1 5H33", class: "live-average" }), tr("mean of the draws")],
    [svg("circle", { cx: 17, cy: 5, r: 4, class: "live-target" }), tr("exact gradient")],
  ]) {
    const sample = svg("svg", { viewBox: "0 0 34 10", class: "live-sample" });
    sample.append(shape);
    key.append(element("span", {}, sample, ` ${words}`));
  }
  panel.classList.add("live-gradients");
  panel.append(
    key,
    element("div", { class: "live-clouds" }, ...clouds.map((cloud) => cloud.box)),
    voice.text,
    sliders.n.row,
    sliders.sd.row,
    element("p", { class: "live-buttons" }, calm, again),
  );
  set({});
  bookLive.gradients = { set, of: gradients, exact, model: MODEL, draws: () => draws };
});
