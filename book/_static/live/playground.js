// The playground: a VAE trains in the page, and the reader watches, steers and predicts.
"use strict";

bookLive.figure("fig-playground", ["small-digits"], async (panel, digits) => {
  const { element, svg, signed, tr, vae, experiments } = bookLive;
  const { PIXELS } = vae;
  const SIDE = 14;
  const SLICE = 12; // milliseconds of training between two pictures
  const PART = 125; // digits whose codes are looked at anew in a picture
  const POINT = 10; // batches averaged to a point of the curve
  const BETAS = [0, 0.03, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16];
  const RATES = [0.0001, 0.0003, 0.001, 0.002, 0.004, 0.01, 0.03, 0.1];
  const WIDTHS = [8, 16, 32, 64, 128];
  const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  const all = vae.unpacked(await bookLive.unpack(digits.packed));
  const train = all.subarray(0, digits.trained * PIXELS);
  const shown = all.subarray(digits.trained * PIXELS);
  const labels = digits.labels;
  const count = labels.length;
  const ROW = Array.from({ length: 10 }, (_, digit) => labels.indexOf(digit)); // one of each class

  // -- What is going on ----------------------------------------------------------------------------

  let settings = { ...experiments.START };
  let seed = 1;
  let trainer;
  let playing = false;
  let inSight = true;
  let plan = null; // the experiment that runs: { experiment, guess, stage, until, measures }
  let history = []; // points of the curve: { epoch, reconstruction, kl }
  let before = []; // the curve of the run before, shown faintly
  let marks = []; // where a setting changed: { epoch, words }
  let batches = []; // terms since the last point
  let codes = new Float32Array(4 * count);
  let seen = new Float32Array(2 * count); // where the points stand; they glide to their codes
  let reach = 3.5; // the map shows -reach to reach
  let place = [0, 0]; // where the reader points
  let only = null; // the one class that is shown
  let next = 0; // of the digits, the first to be looked at anew

  function restart(more = {}) {
    settings = { ...settings, ...more };
    trainer = vae.trainer(train, settings, bookLive.random(seed));
    if (history.length > 2) before = history;
    [history, marks, batches] = [[], [], []];
    codes = vae.encode(trainer.model, shown);
    seen = means();
    refresh();
  }
  const means = () => Float32Array.from({ length: 2 * count }, (_, i) => codes[2 * i - (i % 2)]);

  // A setting changes; the width needs another network.
  function set(more, byReader = true) {
    if (byReader && plan) leave(tr("You changed a setting, so the experiment ended. Play on as you like."));
    if ((more.width ?? settings.width) !== settings.width) return restart(more);
    const words = Object.entries(more).map(([name, value]) => WORDS[name](value));
    settings = { ...settings, ...more };
    trainer.settings = settings;
    marks.push({ epoch: trainer.epochs(), words: words.join(tr(", ")) });
    refresh();
  }
  const WORDS = {
    beta: (value) => `\u03b2 = ${value}`,
    rate: (value) => tr(`rate ${value}`),
    noise: (value) => (value ? tr("noise") : tr("no noise")),
    mean: (value) => (value ? tr("mean") : tr("sum")),
    flipped: (value) => (value ? tr("wrong sign") : tr("right sign")),
  };

  function trainOnce() {
    const terms = trainer.step();
    batches.push(terms);
    if (batches.length < POINT) return;
    const mean = (name) => batches.reduce((sum, one) => sum + one[name], 0) / batches.length;
    const kl = settings.noise ? mean("kl") : NaN; // an autoencoder has none
    history.push({ epoch: trainer.epochs(), reconstruction: mean("reconstruction"), kl });
    batches = [];
  }

  // -- Time: a slice of training, then a picture ---------------------------------------------------

  let waiting = false;
  const running = () => playing && inSight && !document.hidden;
  function schedule() {
    if (waiting || !running()) return;
    waiting = true;
    requestAnimationFrame(frame);
  }
  function frame() {
    waiting = false;
    if (!running()) return;
    const [until, epoch] = [performance.now() + SLICE, Math.floor(trainer.epochs())];
    do trainOnce();
    while (performance.now() < until && !(plan && trainer.seen >= plan.until));
    if (plan && trainer.seen >= plan.until) stageDone();
    else if (!still()) glide();
    else if (Math.floor(trainer.epochs()) > epoch) refresh();
    schedule();
  }
  // Some codes are looked at anew, and every point glides on; the rest is drawn in turn.
  let turn = 0;
  function glide() {
    const end = Math.min(count, next + PART);
    const part = vae.encode(trainer.model, shown.subarray(next * PIXELS, end * PIXELS));
    codes.set(part, 4 * next);
    next = end % count;
    const targets = means();
    for (let i = 0; i < seen.length; i++) seen[i] += 0.25 * (targets[i] - seen[i]);
    drawMap();
    turn = (turn + 1) % 4;
    if (turn === 0) drawGrid();
    if (turn === 1) drawPairs();
    if (turn === 2) drawCurve();
    if (turn === 3) tell();
    status();
  }
  function refresh() {
    codes = vae.encode(trainer.model, shown);
    seen = means();
    drawMap();
    drawGrid();
    drawPairs();
    drawCurve();
    tell();
    status();
    controls();
  }
  function play(on) {
    if (on && !Number.isFinite(history.at(-1)?.reconstruction ?? 0)) restart();
    playing = on;
    if (!on) {
      refresh();
      const last = history.at(-1);
      if (last) voice.say(tr(`Paused after ${trainer.epochs().toFixed(1)} epochs. ${spoken(last)}`));
    }
    status();
    schedule();
  }

  // -- Drawing -------------------------------------------------------------------------------------

  const colours = {};
  function readColours() {
    const style = getComputedStyle(document.documentElement);
    const of = (name) => style.getPropertyValue(name).trim();
    for (let digit = 0; digit < 10; digit++) colours[digit] = of(`--live-${digit}`);
    Object.assign(colours, {
      line: of("--live-line"),
      grid: of("--live-grid"),
      paper: of("--pst-color-background"),
      ink: of("--pst-color-text-base"),
      accent: of("--book-accent"),
    });
  }

  // Grey levels of some digits as tiles of one picture, a pixel apart.
  function tiles(canvas, columns, pictures) {
    const pen = canvas.getContext("2d");
    const image = pen.createImageData(SIDE, SIDE);
    pictures.forEach((levels, at) => {
      levels.forEach((level, i) => {
        image.data.fill(Math.round(255 * level), 4 * i, 4 * i + 3);
        image.data[4 * i + 3] = 255;
      });
      const [x, y] = [at % columns, Math.floor(at / columns)].map((k) => k * (SIDE + 1));
      pen.putImageData(image, x, y);
    });
  }
  const cut = (levels) =>
    Array.from({ length: levels.length / PIXELS }, (_, i) =>
      levels.subarray(i * PIXELS, (i + 1) * PIXELS),
    );
  const sheet = (columns, rows, attributes) =>
    element("canvas", {
      width: columns * (SIDE + 1) - 1,
      height: rows * (SIDE + 1) - 1,
      role: "img",
      ...attributes,
    });

  const map = element("canvas", {
    class: "live-map",
    tabindex: 0,
    role: "application",
    "aria-roledescription": tr("map"),
    "aria-label": tr(
      "Latent map. Arrow keys move the point whose decoding is drawn, with Shift in larger steps; Home goes to the centre.",
    ),
  });
  const lens = sheet(1, 1, {});
  const SIZES = Array.from({ length: 120 }, (_, i) => 3.5 * 2 ** (i / 2));
  function drawMap() {
    const wide = Math.max(1, map.clientWidth);
    const dense = Math.min(3, window.devicePixelRatio || 1);
    if (map.width !== Math.round(wide * dense)) map.width = map.height = Math.round(wide * dense);
    const pen = map.getContext("2d");
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.clearRect(0, 0, wide, wide);
    // The map zooms out where more than 2 codes in 100 would lie outside.
    const far = [...seen].map(Math.abs).sort((a, b) => a - b)[Math.floor(0.98 * seen.length)];
    reach = SIZES.find((size) => size >= far) ?? SIZES.at(-1);
    const at = (z, d) => (wide / 2) * (1 + (d ? -z : z) / reach);
    pen.strokeStyle = colours.grid;
    pen.beginPath();
    pen.moveTo(0, wide / 2);
    pen.lineTo(wide, wide / 2);
    pen.moveTo(wide / 2, 0);
    pen.lineTo(wide / 2, wide);
    pen.stroke();
    pen.strokeStyle = colours.line;
    pen.setLineDash([3, 4]);
    for (const radius of [1, 2, 3]) {
      pen.beginPath();
      pen.arc(wide / 2, wide / 2, (radius * wide) / (2 * reach), 0, 7);
      pen.stroke();
    }
    pen.setLineDash([]);
    const size = wide < 300 ? 2.6 : 3.4;
    const groups = Array.from({ length: 10 }, () => []);
    labels.forEach((label, i) => groups[label].push([at(seen[2 * i], 0), at(seen[2 * i + 1], 1)]));
    groups.forEach((group, digit) => {
      pen.globalAlpha = only === null ? 0.75 : only === digit ? 1 : 0.08;
      pen.fillStyle = colours[digit];
      pen.beginPath();
      for (const [x, y] of group) {
        pen.moveTo(x + size / 2, y);
        pen.arc(x, y, size / 2, 0, 7);
      }
      pen.fill();
    });
    pen.globalAlpha = 1;
    // Each class has its numeral at its middle, so that nobody depends on colours.
    pen.font = "700 17px sans-serif";
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.lineWidth = 4;
    pen.strokeStyle = colours.paper;
    const middle = (values) => values.sort((a, b) => a - b)[values.length >> 1];
    groups.forEach((group, digit) => {
      if (only !== null && only !== digit) return;
      const [x, y] = [0, 1].map((d) => middle(group.map((point) => point[d])));
      pen.strokeText(digit, x, y);
      pen.fillStyle = colours[digit];
      pen.fillText(digit, x, y);
    });
    drawLens(pen, wide, at(place[0], 0), at(place[1], 1));
  }
  function drawLens(pen, wide, x, y) {
    tiles(lens, 1, [vae.decode(trainer.model, Float32Array.from(place))]);
    const size = Math.min(84, wide / 4);
    const [left, top] = [x + 12 + size > wide ? x - 12 - size : x + 12, y - 12 - size < 0 ? y + 12 : y - 12 - size];
    pen.imageSmoothingEnabled = false;
    pen.drawImage(lens, left, top, size, size);
    pen.lineWidth = 2;
    pen.strokeStyle = colours.accent;
    pen.strokeRect(left, top, size, size);
    pen.fillStyle = colours.accent;
    pen.strokeStyle = colours.paper;
    pen.beginPath();
    pen.arc(x, y, 6, 0, 7);
    pen.fill();
    pen.stroke();
  }

  const grid = sheet(10, 10, { class: "live-sheet" });
  const drawGrid = () => tiles(grid, 10, cut(vae.decode(trainer.model, experiments.PRIOR)));
  grid.setAttribute("aria-label", tr("A hundred pictures that the decoder draws, for places spread as the prior says"));

  const pairs = sheet(10, 2, { class: "live-sheet" });
  pairs.setAttribute("aria-label", tr("Above, one unseen digit of each class; below, what the model makes of it"));
  const originals = ROW.map((i) => shown.subarray(i * PIXELS, (i + 1) * PIXELS));
  function drawPairs() {
    const z = Float32Array.from(ROW.flatMap((i) => [codes[4 * i], codes[4 * i + 1]]));
    tiles(pairs, 10, [...originals, ...cut(vae.decode(trainer.model, z))]);
  }

  // The curve: two strips with fixed scales, one axis of epochs.
  const curve = svg("svg", { class: "live-history", role: "img" });
  const STRIPS = [
    { name: "reconstruction", title: tr("Reconstruction"), kind: "good", top: 24, high: 104, from: 35, to: 75, ticks: [40, 50, 60, 70] },
    { name: "kl", title: tr("KL divergence"), kind: "price", top: 156, high: 64, from: 0, to: 8, ticks: [0, 4, 8] },
  ];
  const number = (value) =>
    Math.abs(value) < 1e5 ? signed(value, 1) : Number.isFinite(value) ? `${value < 0 ? "\u2212" : ""}10^${Math.floor(Math.log10(Math.abs(value)))}` : tr("beyond all numbers");
  const spoken = ({ reconstruction, kl }) =>
    settings.noise
      ? tr(`Reconstruction ${number(reconstruction)} nats an image, KL ${number(kl)}.`)
      : tr(`Reconstruction ${number(reconstruction)} nats an image, no KL term.`);
  function drawCurve() {
    const wide = Math.max(280, panel.clientWidth);
    const end = [20, 40, 80, 160, 320, 640].find((n) => n >= trainer.epochs()) ?? 1280;
    const [left, right] = [30, wide - 8];
    const toX = (epoch) => left + ((right - left) * Math.min(end, epoch)) / end;
    const parts = [];
    const text = (x, y, words, kind) => parts.push(svg("text", { x, y, class: kind }, words));
    const path = (d, kind) => parts.push(svg("path", { d, class: kind }));
    for (const strip of STRIPS) {
      const { name, top, high, from, to } = strip;
      const toY = (value) => top + high * (1 - (Math.min(to, Math.max(from, value)) - from) / (to - from));
      const line = (points) =>
        points.map((p, i) => `${i ? "L" : "M"}${toX(p.epoch).toFixed(1)} ${toY(p[name]).toFixed(1)}`).join("");
      for (const tick of strip.ticks) {
        path(`M${left} ${toY(tick)}H${right}`, tick === from ? "live-axis" : "live-grid");
        text(left - 5, toY(tick) + 4, String(tick), "live-tick live-number");
      }
      for (const { epoch } of marks) path(`M${toX(epoch)} ${top}V${top + high}`, "live-mark");
      path(line(before.filter((p) => Number.isFinite(p[name]))), "live-curve live-before");
      path(line(history.filter((p) => Number.isFinite(p[name]))), `live-curve live-line-${strip.kind}`);
      const last = history.at(-1);
      const none = name === "kl" && !settings.noise;
      const now = none ? tr(": no such term") : last ? tr(`: ${number(last[name])} nats`) : "";
      text(left, top - 8, `${strip.title}${now}`, `live-say-${strip.kind}`);
    }
    let free = 0; // labels of marks do not cover each other
    for (const { epoch, words } of marks.slice(-6)) {
      const x = Math.max(free, toX(epoch) + 3);
      free = x + 7 * words.replace(/[\u2e80-\uffff]/g, "$&$&").length + 8; // some letters are twice as wide
      if (free < right) text(x, STRIPS[0].top + 11, words, "live-tick");
    }
    const bottom = STRIPS[1].top + STRIPS[1].high;
    for (const share of [0, 0.25, 0.5, 0.75, 1])
      text(toX(share * end) - (share === 1 ? 8 : 0), bottom + 17, String(share * end), "live-tick live-middle");
    text((left + right) / 2, bottom + 34, tr("epochs"), "live-tick live-middle");
    curve.setAttribute("viewBox", `0 0 ${wide} ${bottom + 40}`);
    curve.replaceChildren(...parts);
    const last = history.at(-1);
    curve.setAttribute("aria-label", last ? tr(`Both terms so far. ${spoken(last)}`) : tr("Both terms; nothing is trained yet."));
  }

  // -- Words and controls --------------------------------------------------------------------------

  const voice = bookLive.announcer();
  voice.text.classList.add("live-hidden");
  const button = (words, onclick, attributes = {}) =>
    element("button", { type: "button", onclick, ...attributes }, words);
  const start = button("", () => play(!playing), { class: "live-start" });
  const single = button(tr("One epoch"), () => {
    if (plan) leave("");
    if (playing) play(false);
    const steps = Math.ceil(train.length / PIXELS / vae.BATCH);
    for (let i = 0; i < steps; i++) trainOnce();
    play(false);
  });
  const afresh = button(tr("Start afresh"), () => {
    if (plan) leave("");
    seed++;
    restart();
  });
  const clock = element("span", { class: "live-clock" });
  const sum = element("p", { class: "live-sum" });
  function status() {
    const words = playing ? tr("\u275a\u275a Pause") : trainer.seen ? tr("\u25b6 Train on") : tr("\u25b6 Train");
    if (start.textContent !== words) start.textContent = words;
    clock.textContent = tr(`epoch ${trainer.epochs().toFixed(1)}`);
    const last = history.at(-1) ?? { reconstruction: NaN, kl: NaN };
    // Before the first step it is the formula alone: dashes in place of numbers would look like minus signs.
    const shownAs = (value) => (Number.isNaN(value) ? "" : `${number(value)} `);
    const term = (kind, value, name) => element("b", { class: `live-say-${kind}` }, shownAs(value), name);
    const parts = [tr("loss = "), term("good", last.reconstruction, tr("reconstruction"))];
    if (settings.mean) parts.push(" / 196");
    if (settings.noise) {
      parts.push(settings.flipped ? " \u2212 " : " + ", `${settings.beta} \u00d7 `, term("price", last.kl, "KL"));
    } else parts.push(tr(", without noise and without a KL term"));
    const loss = vae.lossOf(settings.noise ? last : { ...last, kl: 0 }, settings);
    if (!Number.isNaN(loss)) parts.push(` = ${number(loss)}`);
    sum.replaceChildren(...parts);
  }

  const choice = (label, name, values, format) => {
    const slider = bookLive.slider(label, {
      min: 0,
      max: values.length - 1,
      step: 1,
      value: values.indexOf(settings[name]),
      format: (i) => format(values[i]),
      change: (i) => set({ [name]: values[i] }),
    });
    return { ...slider, show: () => slider.set(values.indexOf(settings[name])) };
  };
  const inactive = (value) => (settings.noise ? String(value) : tr("not used"));
  const sliders = {
    beta: choice(tr("\u03b2, weight of KL"), "beta", BETAS, inactive),
    rate: choice(tr("Learning rate"), "rate", RATES, String),
    width: choice(tr("Width (restarts)"), "width", WIDTHS, String),
  };
  const switches = {
    noise: button(tr("Noise off: an autoencoder"), () => set({ noise: !settings.noise })),
    mean: button(tr("Mean in place of sum"), () => set({ mean: !settings.mean })),
    flipped: button(tr("Wrong sign of the KL term"), () => set({ flipped: !settings.flipped })),
  };
  const back = button(tr("Settings back"), () => {
    if (plan) leave("");
    restart(experiments.START);
  });
  function controls() {
    for (const slider of Object.values(sliders)) slider.show();
    const beta = sliders.beta.row;
    beta.querySelector("input").disabled = !settings.noise;
    beta.classList.toggle("live-off", !settings.noise);
    switches.flipped.disabled = !settings.noise;
    switches.noise.setAttribute("aria-pressed", !settings.noise);
    switches.mean.setAttribute("aria-pressed", settings.mean);
    switches.flipped.setAttribute("aria-pressed", settings.flipped);
    buttons.forEach((one, digit) => one.setAttribute("aria-pressed", only === digit));
  }

  const buttons = Array.from({ length: 10 }, (_, digit) =>
    button(String(digit), () => {
      only = only === digit ? null : digit;
      controls();
      drawMap();
    }, { class: `live-digit-${digit}` }),
  );

  // -- Pointing at the map -------------------------------------------------------------------------

  const where = element("p", { class: "live-note live-where" });
  function tell() {
    let [best, label] = [Infinity, 0];
    labels.forEach((digit, i) => {
      const distance = Math.hypot(codes[4 * i] - place[0], codes[4 * i + 1] - place[1]);
      if (distance < best) [best, label] = [distance, digit];
    });
    const words = tr(`Decoded at (${signed(place[0], 2)}, ${signed(place[1], 2)}). The nearest code is that of a ${label}.`);
    where.textContent = words;
    return words;
  }
  function move(to) {
    place = to.map((z) => Math.min(reach, Math.max(-reach, z)));
    voice.say(tell());
    drawMap();
  }
  const follow = (event) => {
    const box = map.getBoundingClientRect();
    const across = (event.clientX - box.left) / box.width;
    const down = (event.clientY - box.top) / box.height;
    move([(2 * across - 1) * reach, (1 - 2 * down) * reach]);
  };
  // A mouse explores by moving, a finger by tapping or by sliding sideways: upwards the page scrolls.
  map.addEventListener("pointermove", follow);
  map.addEventListener("pointerdown", follow);
  const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  map.addEventListener("keydown", (event) => {
    const way = KEYS[event.key];
    if (!way && event.key !== "Home") return;
    event.preventDefault();
    const step = (event.shiftKey ? 0.15 : 0.03) * reach;
    move(way ? [place[0] + step * way[0], place[1] + step * way[1]] : [0, 0]);
  });
  grid.addEventListener("pointerdown", (event) => {
    const box = grid.getBoundingClientRect();
    const at = [event.clientX - box.left, event.clientY - box.top].map((v) =>
      Math.min(9, Math.max(0, Math.floor((10 * v) / box.width))),
    );
    move([...experiments.PRIOR.subarray(2 * (10 * at[1] + at[0]), 2 * (10 * at[1] + at[0]) + 2)]);
  });

  // -- Experiments ---------------------------------------------------------------------------------

  const guide = element("div", { class: "live-guide" });
  const answer = element("div", { class: "live-answer", "aria-live": "polite" });
  const paragraph = (words, kind = "") => element("p", { class: kind }, words);
  const strong = (words) => element("strong", {}, words);
  const FREE = tr("Press Train and watch. Or choose an experiment: it asks what you expect, and then does it.");
  function leave(words) {
    plan = null;
    mark(-1);
    guide.replaceChildren(paragraph(words || FREE));
    answer.replaceChildren();
  }
  const tabs = [
    button(tr("Play freely"), () => leave("")),
    ...experiments.LIST.map((experiment, i) => button(`${i + 1} ${experiment.title}`, () => ask(i))),
  ];
  const mark = (i) => tabs.forEach((tab, k) => tab.setAttribute("aria-pressed", k === i + 1));
  function ask(i) {
    const experiment = experiments.LIST[i];
    if (playing) play(false);
    plan = null;
    mark(i);
    answer.replaceChildren();
    const options = experiment.options.map((words, k) => button(words, () => begin(i, k, options)));
    const choices = element("div", { class: "live-buttons", role: "group", "aria-label": tr("Your prediction") }, ...options);
    const question = paragraph(strong(experiment.question), "live-ask-first");
    guide.replaceChildren(paragraph(experiment.setup), question, choices);
  }
  const show = (part) =>
    part.scrollIntoView({ block: "nearest", behavior: still() ? "auto" : "smooth" });
  function begin(i, guess, options) {
    options.forEach((option, k) => {
      option.disabled = true;
      option.setAttribute("aria-pressed", k === guess);
    });
    plan = { experiment: experiments.LIST[i], i, guess, stage: -1, until: 0, measures: [] };
    settings = { ...experiments.START };
    enter();
    play(true);
    show(map);
  }
  function enter() {
    plan.stage++;
    const { experiment, stage } = plan;
    const { name, settings: more, fresh, epochs } = experiment.stages[stage];
    const wanted = { ...experiments.START, ...more };
    if (stage === 0 || fresh) {
      restart(wanted);
      marks.push({ epoch: 0, words: name });
    } else {
      settings = trainer.settings = wanted;
      marks.push({ epoch: trainer.epochs(), words: name });
      controls();
    }
    plan.until = trainer.seen + (epochs * train.length) / PIXELS;
    const total = experiment.stages.length;
    answer.replaceChildren(paragraph(tr(`Part ${stage + 1} of ${total}: ${name}, ${epochs} epochs.`), "live-note"));
  }
  const inSentence = (words) => words.replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase());
  function stageDone() {
    plan.measures.push(experiments.measure(trainer.model, { train, shown }));
    refresh();
    if (plan.stage + 1 < plan.experiment.stages.length) return enter();
    const { experiment, guess, measures, i } = plan;
    plan = null;
    playing = false;
    refresh();
    const verdict = guess === experiment.right ? tr("As you said.") : tr(`Not as you said. What happens: ${inSentence(experiment.options[experiment.right])}.`);
    const holds = Object.values(experiments.hold(experiment, measures)).every(Boolean);
    const parts = [paragraph(strong(verdict)), paragraph(experiment.told(measures)), paragraph(experiment.why)];
    if (!holds) parts.push(paragraph(tr("This run did not do all that the page says of it. Chance has a part in every training: try again."), "live-far"));
    if (i + 1 < experiments.LIST.length)
      parts.push(element("p", { class: "live-buttons" }, button(tr("The next experiment"), () => ask(i + 1))));
    answer.replaceChildren(...parts);
    show(answer);
    bookLive.playground.measures = measures;
  }

  // -- The panel -----------------------------------------------------------------------------------

  const area = (name, ...children) => element("div", { class: `live-${name}` }, ...children);
  const titled = (words, ...children) => element("div", {}, paragraph(words, "live-title"), ...children);
  const group = (name, words, ...children) =>
    element("div", { class: `live-${name}`, role: "group", "aria-label": words }, ...children);
  panel.classList.add("live-playground");
  panel.append(
    group("tabs", tr("Experiments"), ...tabs),
    area("guidebox", guide, answer),
    area("toolbar", start, single, afresh, clock),
    sum,
    area(
      "worlds",
      titled(tr("The latent map"), map, group("legend", tr("Show one digit"), ...buttons)),
      titled(tr("Drawn from the prior"), grid, where),
    ),
    titled(tr("Unseen digits, and their reconstructions"), pairs),
    titled(tr("The two terms, in nats an image"), curve),
    area("knobs", sliders.beta.row, sliders.rate.row, sliders.width.row),
    area("switches", ...Object.values(switches), back),
    voice.text,
  );
  leave("");
  readColours();
  restart();
  move([2, -2]);
  new IntersectionObserver((entries) => {
    inSight = entries.at(-1).isIntersecting;
    schedule();
  }).observe(panel);
  document.addEventListener("visibilitychange", schedule);
  new ResizeObserver(() => {
    drawMap();
    drawCurve();
  }).observe(panel);
  new MutationObserver(() => {
    readColours();
    drawMap();
  }).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });

  bookLive.playground = {
    set,
    move,
    restart,
    train: (steps) => {
      for (let i = 0; i < steps; i++) trainOnce();
      refresh();
    },
    state: () => ({
      playing, running: running(), seed, settings, place, reach, epochs: trainer.epochs(),
      points: history.length,
    }),
    model: () => trainer.model,
    data: { train, shown },
  };
});
