// A query's journey: one picture that changes as the text scrolls by. Each step has a still for
// readers without scripts; where this runs, the still is kept for those who listen to the page.
"use strict";

(async () => {
  const figures = [...document.querySelectorAll('figure[id^="fig-journey-"]')];
  if (!figures.length || !("IntersectionObserver" in window)) return;
  const live = window.bookLive;
  const { element, tr } = live;
  const SIZE = 480; // of the stage, in its own units
  const TIME = 1100; // milliseconds from one scene to the next
  const SIDE = 28;
  const PLATE = SIDE * SIDE; // the last particle is the black square behind the picture
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  let tale;
  let octets;
  let cloud;
  let labels;
  try {
    tale = await live.load("journey");
    octets = await live.unpack(tale.packed);
    cloud = live.halves(await live.unpack(tale.cloud));
    labels = await live.unpack(tale.labels);
  } catch (problem) {
    console.warn(`The journey stays a row of pictures: ${problem.message}`);
    return;
  }

  // Images as small canvases: the query, its views, what is found.
  const pictures = Array.from({ length: octets.length / PLATE }, (_, n) => {
    const canvas = element("canvas", { width: SIDE, height: SIDE });
    const pixels = Float32Array.from(octets.subarray(PLATE * n, PLATE * (n + 1)), (v) => v / 255);
    live.paint(canvas, pixels);
    return canvas;
  });
  const grey = octets.subarray(0, PLATE);
  const classes = tale.kept.map((row) => labels[row]);
  const thumbnail = (n) => pictures[1 + tale.views + n];

  // -- The stage beside the text ---------------------------------------------------------------------

  const canvas = element("canvas", { class: "journey-canvas" });
  const dots = element("div", { class: "journey-dots" }, ...figures.map(() => element("i")));
  const stage = element("div", { class: "journey-stage", "aria-hidden": "true" }, canvas, dots);
  const steps = element("div", { class: "journey-steps" });
  const journey = element("div", { class: "journey" }, stage, steps);
  const sections = figures.map((figure) => figure.closest("section"));
  sections[0].before(journey);
  steps.append(...sections);
  const round = (value, digits = 2) => live.signed(value, digits);
  const both = (name) => tr(`${round(tale.mean[name].still)}, moved ${round(tale.mean[name].moved)}`);
  const tallest = tale.means.reduce((best, m, i) => (Math.abs(m) > Math.abs(tale.means[best]) ? i : best), 0);
  const FACTS = [
    tr(`Queries: ${tale.queries}. Gallery: ${tale.gallery.toLocaleString("en")} images.`),
    tr(`784 numbers; ${grey.filter((value) => value === 0).length} of them are 0.`),
    tr(`32 numbers; the largest is ${round(tale.means[tallest])}, in dimension ${tallest + 1}.`),
    tr(`The drawing holds ${Math.round(100 * tale.share)} % of the spread.`),
    tr(`Right among ten, by the plain VAE: ${tale.right.plain.still}.`),
    tr(`Distance in pixels: to itself, moved, ${round(tale.distance.pixels, 1)}; to its tenth neighbour ${round(tale.tenth.pixels, 1)}.`),
    tr(`Right among ten: by pixels ${tale.right.pixels.moved}, by the plain VAE ${tale.right.plain.moved}.`),
    tr(`Right among ten, by the view VAE: ${tale.right.view.moved}. P@10 of all queries: by pixels ${both("pixels")}; by the plain VAE ${both("plain")}; by the view VAE ${both("view")}.`),
  ];
  figures.forEach((figure, i) => {
    figure.classList.add("journey-heard");
    figure.before(element("p", { class: "journey-fact" }, FACTS[i]));
    sections[i].classList.add("journey-step");
  });

  // -- Where each particle is in each scene: x, y, width, height, alpha, share of the accent ---------

  const grid = (left, top, cell, right = 0) => (i) => {
    const [row, column] = [Math.floor(i / SIDE), (i % SIDE) + right];
    if (i === PLATE) return [left, top, SIDE * cell, SIDE * cell, 1, 0];
    return [left + column * cell, top + row * cell, cell, cell, column < SIDE ? 1 : 0, 0];
  };
  const [firstRow, firstColumn, cells] = tale.window;
  const BAR = { left: 18, step: 14, width: 10, base: 250, unit: 105 };
  const bars = (i) => {
    if (i === PLATE) return [0, BAR.base, SIZE, 1, 0, 0];
    const [bar, part] = [i % 32, Math.floor(i / 32)];
    const height = (BAR.unit * tale.means[bar]) / 25;
    const y = BAR.base - height * part;
    const top = Math.min(y, y - height);
    return [BAR.left + BAR.step * bar, top, BAR.width, Math.abs(height) + 0.4, 1, 1];
  };
  const reach = Math.max(...cloud.map(Math.abs));
  const WIDE = { x: 0, y: 0, scale: (SIZE / 2 - 8) / reach };
  const [queryX, queryY] = tale.places[0];
  const CLOSE = { x: queryX, y: queryY - 0.35, scale: 2.3 * WIDE.scale };
  const onStage = (camera, x, y) => [
    SIZE / 2 + camera.scale * (x - camera.x),
    SIZE / 2 - camera.scale * (y - camera.y),
  ];
  const gathered = (camera) => (i) => {
    const [x, y] = onStage(camera, queryX, queryY);
    return i === PLATE ? [x, y, 1, 1, 0, 1] : [x - 3, y - 3, 6, 6, 0, 1];
  };
  const PARTICLES = [
    grid(16, 16, 16),
    grid((-SIZE / cells) * firstColumn, (-SIZE / cells) * firstRow, SIZE / cells),
    bars,
    gathered(WIDE),
    gathered(CLOSE),
    grid(100, 14, 10, tale.shift),
    grid(184, 10, 4, tale.shift),
    grid(204, 18, 2, tale.shift),
  ];
  const SCENES = PARTICLES.map((place) => {
    const values = new Float32Array(6 * (PLATE + 1));
    for (let i = 0; i <= PLATE; i++) values.set(place(i), 6 * i);
    return values;
  });
  // The last scene has no picture of the query: its views stand there.
  for (let i = 0; i <= PLATE; i++) SCENES[7][6 * i + 4] = 0;
  // Scene of the cloud: how much of it is seen, how grey it is, and from where.
  const CLOUDS = SCENES.map((_, i) => ({
    alpha: i === 3 ? 1 : i === 4 ? 0.9 : 0,
    grey: i === 4 ? 1 : 0,
    ...(i >= 4 ? CLOSE : WIDE),
  }));

  // -- Drawing ---------------------------------------------------------------------------------------

  const pen = canvas.getContext("2d");
  let colours;
  function readColours() {
    const style = getComputedStyle(document.documentElement);
    const of = (name) => style.getPropertyValue(name).trim();
    colours = {
      text: of("--pst-color-text-base"),
      back: of("--pst-color-background"),
      line: of("--live-line"),
      grid: of("--live-grid"),
      accent: of("--live-good"),
      good: of("--live-bound"),
      bad: of("--live-price"),
      digits: Array.from({ length: 10 }, (_, digit) => of(`--live-${digit}`)),
      font: getComputedStyle(document.body).fontFamily,
    };
  }

  function words(text, x, y, { size = 17, align = "left", colour = colours.text, bold } = {}) {
    pen.font = `${bold ? "600 " : ""}${size}px ${colours.font}`;
    pen.textAlign = align;
    pen.fillStyle = colour;
    pen.fillText(text, x, y);
  }

  function results(found, top, title, right) {
    const [size, gap] = [43, 4.8];
    words(title, 2, top - 10, { bold: true });
    words(tr(`${right} of 10 right`), SIZE - 2, top - 10, { align: "right" });
    found.forEach((n, rank) => {
      const x = 3 + rank * (size + gap);
      const good = classes[n] === tale.digit;
      pen.drawImage(thumbnail(n), x, top, size, size);
      pen.strokeStyle = good ? colours.good : colours.bad;
      pen.lineWidth = 3.5;
      pen.setLineDash(good ? [] : [6, 4]);
      pen.strokeRect(x, top, size, size);
      pen.setLineDash([]);
      words(`${classes[n]} ${good ? "\u2713" : "\u2717"}`, x + size / 2, top + size + 19, {
        align: "center",
        size: 15,
      });
    });
  }

  function level(y, value, most, text, colour) {
    const from = 206;
    words(text, from - 10, y + 17, { align: "right", size: 16 });
    pen.fillStyle = colour;
    const width = ((SIZE - from - 56) * value) / most;
    pen.fillRect(from, y, width, 24);
    words(value.toFixed(1), from + width + 8, y + 18, { size: 17, bold: true });
  }

  const OVERLAYS = [
    () => {},
    () => {
      const cell = SIZE / cells;
      for (let i = 0; i < cells * cells; i++) {
        const [row, column] = [Math.floor(i / cells), i % cells];
        const value = grey[SIDE * (firstRow + row) + firstColumn + column];
        const place = [(column + 0.5) * cell, (row + 0.5) * cell + 6];
        words(value, ...place, { align: "center", colour: value > 110 ? "#000" : "#fff" });
      }
    },
    () => {
      pen.fillStyle = colours.line;
      pen.fillRect(10, BAR.base - 0.75, SIZE - 20, 1.5);
      tale.means.forEach((mean, i) => {
        if (Math.abs(mean) < 1) return;
        const y = BAR.base - BAR.unit * mean + (mean > 0 ? -7 : 19);
        const x = BAR.left + BAR.step * i;
        // Beside a taller bar its number would run into it.
        const beside = Math.abs(tale.means[i + 1]) > Math.abs(mean) && tale.means[i + 1] * mean > 0;
        const [at, align] = beside ? [x + BAR.width, "right"] : [x + BAR.width / 2, "center"];
        words(round(mean, 1), at, y, { align, size: 15 });
      });
      words("1", BAR.left, BAR.base + 175, { size: 15 });
      words(tr("32 latent dimensions"), SIZE / 2, BAR.base + 175, { align: "center", size: 16 });
      words("32", SIZE - 14, BAR.base + 175, { align: "right", size: 15 });
    },
    (camera) => ring(camera),
    (camera) => {
      const [x, y] = onStage(camera, queryX, queryY);
      for (const n of tale.found.plain.still) {
        const at = 2 * tale.kept[n];
        const [left, top] = onStage(camera, cloud[at], cloud[at + 1]);
        pen.strokeStyle = colours.text;
        pen.lineWidth = 1.2;
        pen.beginPath();
        pen.moveTo(x, y);
        pen.lineTo(left, top);
        pen.stroke();
        pen.fillStyle = colours.good;
        pen.beginPath();
        pen.arc(left, top, 6, 0, 7);
        pen.fill();
      }
      ring(camera);
      pen.fillStyle = colours.back;
      pen.fillRect(0, 376, SIZE, SIZE - 376);
      results(tale.found.plain.still, 410, tr("by the plain VAE"), tale.right.plain.still);
    },
    () => {
      // Where the strokes were before.
      pen.strokeStyle = colours.accent;
      pen.lineWidth = 2;
      pen.beginPath();
      const ink = (row, column) => grey[SIDE * row + column] > 110;
      for (let i = 0; i < PLATE; i++) {
        const [row, column] = [Math.floor(i / SIDE), i % SIDE];
        if (!ink(row, column)) continue;
        const [x, y] = [100 + 10 * column, 14 + 10 * row];
        if (!ink(row, column - 1)) pen.rect(x, y, 0, 10);
        if (!ink(row, column + 1)) pen.rect(x + 10, y, 0, 10);
        if (!ink(row - 1, column)) pen.rect(x, y, 10, 0);
        if (!ink(row + 1, column)) pen.rect(x, y + 10, 10, 0);
      }
      pen.stroke();
      words(tr("distance in pixels, from the query"), SIZE / 2, 336, { align: "center", bold: true });
      const [self, tenth] = [tale.distance.pixels, tale.tenth.pixels];
      const most = Math.max(self, tenth);
      level(360, self, most, tr("to itself, moved"), colours.bad);
      level(406, tenth, most, tr("to its tenth neighbour"), colours.good);
    },
    () => {
      results(tale.found.pixels.moved, 180, tr("by pixels"), tale.right.pixels.moved);
      results(tale.found.plain.moved, 320, tr("by the plain VAE"), tale.right.plain.moved);
    },
    () => {
      for (let n = 0; n < tale.views; n++) {
        pen.drawImage(pictures[1 + n], 3 + n * 81, 6, 70, 70);
      }
      results(tale.found.view.moved, 122, tr("by the view VAE"), tale.right.view.moved);
      slopes(264);
    },
  ];

  function ring(camera) {
    const [x, y] = onStage(camera, queryX, queryY);
    pen.strokeStyle = colours.back;
    pen.lineWidth = 7;
    pen.beginPath();
    pen.arc(x, y, 10, 0, 7);
    pen.stroke();
    pen.strokeStyle = colours.text;
    pen.lineWidth = 3;
    pen.stroke();
  }

  // P@10 of all queries, as they are and moved, from 0 to 1.
  function slopes(top) {
    const [from, to, height] = [82, 270, 172];
    words(tr(`P@10 of all ${tale.queries} queries`), 2, top - 14, { bold: true });
    const y = (value) => top + height * (1 - value);
    words(tr("as they are"), from, top + height + 26, { align: "center", size: 16 });
    words(tr("moved"), to, top + height + 26, { align: "center", size: 16 });
    for (const value of [0, 0.5, 1]) {
      pen.fillStyle = colours.grid;
      pen.fillRect(from - 12, y(value), to - from + 24, 1.5);
      words(value, from - 22, y(value) + 5, { align: "right", size: 15, colour: colours.line });
    }
    const kinds = { pixels: colours.bad, plain: colours.accent, view: colours.good };
    const names = { pixels: tr("pixels"), plain: tr("plain VAE"), view: tr("view VAE") };
    const lift = { pixels: 19, plain: -5, view: 5 };
    for (const [name, colour] of Object.entries(kinds)) {
      const { still, moved } = tale.mean[name];
      pen.strokeStyle = pen.fillStyle = colour;
      pen.lineWidth = 4;
      pen.beginPath();
      pen.moveTo(from, y(still));
      pen.lineTo(to, y(moved));
      pen.stroke();
      for (const [x, value] of [
        [from, still],
        [to, moved],
      ]) {
        pen.beginPath();
        pen.arc(x, y(value), 6, 0, 7);
        pen.fill();
      }
      const text = tr(`${names[name]}: ${moved.toFixed(2)}`);
      words(text, to + 18, y(moved) + lift[name], { size: 17, bold: true });
    }
  }

  function drawCloud({ alpha, grey: faded, x, y, scale }) {
    if (alpha < 0.01) return;
    const size = Math.max(2.4, scale / 22);
    const camera = { x, y, scale };
    for (let digit = 0; digit < 10; digit++) {
      for (const [colour, part] of [
        [colours.digits[digit], 1 - faded],
        [colours.line, 0.6 * faded],
      ]) {
        if (part < 0.01) continue;
        pen.globalAlpha = 0.75 * alpha * part;
        pen.fillStyle = colour;
        pen.beginPath();
        for (let i = 0; i < labels.length; i++) {
          if (labels[i] !== digit) continue;
          const [left, top] = onStage(camera, cloud[2 * i], cloud[2 * i + 1]);
          pen.moveTo(left + size / 2, top);
          pen.arc(left, top, size / 2, 0, 7);
        }
        pen.fill();
      }
    }
    pen.globalAlpha = 1;
  }

  const now = { particles: SCENES[0].slice(), cloud: { ...CLOUDS[0] }, overlays: SCENES.map(() => 0) };

  function draw() {
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const width = Math.round(canvas.clientWidth * ratio);
    if (!width) return;
    if (canvas.width !== width) canvas.width = canvas.height = width;
    pen.setTransform(width / SIZE, 0, 0, width / SIZE, 0, 0);
    pen.imageSmoothingEnabled = false;
    pen.clearRect(0, 0, SIZE, SIZE);
    drawCloud(now.cloud);
    const onScreen = (value) => (Math.round((value * width) / SIZE) * SIZE) / width;
    const at = now.particles;
    for (const i of [PLATE, ...Array(PLATE).keys()]) {
      const [x, y, wide, high, alpha, mix] = at.subarray(6 * i, 6 * i + 6);
      if (alpha < 0.01) continue;
      const value = i === PLATE ? 0 : grey[i];
      if (mix < 1) {
        if (i !== PLATE && value === 0 && mix < 0.01) continue; // black on black
        pen.globalAlpha = alpha * (1 - mix);
        pen.fillStyle = `rgb(${value} ${value} ${value})`;
        // On whole pixels of the screen, so that no seams are seen between the squares.
        const [left, top, right, bottom] = [x, y, x + wide, y + high].map(onScreen);
        pen.fillRect(left, top, right - left, bottom - top);
      }
      if (mix > 0.01) {
        pen.globalAlpha = alpha * mix;
        pen.fillStyle = colours.accent;
        pen.fillRect(x, y, wide, high);
      }
    }
    OVERLAYS.forEach((overlay, i) => {
      if (now.overlays[i] < 0.01) return;
      pen.globalAlpha = now.overlays[i];
      overlay(now.cloud);
    });
    pen.globalAlpha = 1;
  }

  // -- From one scene to the next --------------------------------------------------------------------

  let scene = -1;
  let frame;
  const smooth = (t) => t * t * (3 - 2 * t);

  function go(next) {
    if (next === scene) return;
    scene = next;
    readColours(); // not once at the start: a style sheet may come later than this script
    [...dots.children].forEach((dot, i) => dot.classList.toggle("journey-here", i === scene));
    sections.forEach((section, i) => section.classList.toggle("journey-read", i === scene));
    cancelAnimationFrame(frame);
    const from = {
      particles: now.particles.slice(),
      cloud: { ...now.cloud },
      overlays: [...now.overlays],
    };
    const show = (t) => {
      const [goal, eased] = [SCENES[scene], smooth(t)];
      for (let i = 0; i <= PLATE; i++) {
        // Rows set out one after the other.
        const late = i === PLATE ? 0 : 0.25 * (Math.floor(i / SIDE) / SIDE);
        const part = smooth(Math.min(1, Math.max(0, (t - late) / 0.75)));
        for (let k = 6 * i; k < 6 * i + 6; k++) {
          now.particles[k] = from.particles[k] + part * (goal[k] - from.particles[k]);
        }
      }
      for (const [key, value] of Object.entries(CLOUDS[scene])) {
        now.cloud[key] = from.cloud[key] + eased * (value - from.cloud[key]);
      }
      from.overlays.forEach((alpha, i) => {
        const leaving = alpha * Math.max(0, 1 - t / 0.3);
        now.overlays[i] = i === scene ? Math.max(alpha, (t - 0.55) / 0.45) : leaving;
      });
      draw();
    };
    if (calm.matches) return show(1);
    const started = performance.now();
    const step = (time) => {
      const t = Math.min(1, Math.max(0, (time - started) / TIME));
      show(t);
      if (t < 1) frame = requestAnimationFrame(step);
    };
    frame = requestAnimationFrame(step);
  }

  // The step that crosses a line is told: the middle, or lower where the stage lies above the text.
  let watcher;
  const wide = matchMedia("(min-width: 768px)");
  function watch() {
    watcher?.disconnect();
    const line = wide.matches ? 50 : 72;
    watcher = new IntersectionObserver(
      (entries) => {
        const entered = entries.filter((entry) => entry.isIntersecting).at(-1);
        if (entered) go(sections.indexOf(entered.target));
      },
      { rootMargin: `-${line}% 0px -${100 - line}% 0px` },
    );
    sections.forEach((section) => watcher.observe(section));
  }

  now.overlays[0] = 1;
  go(0);
  watch();
  wide.addEventListener("change", watch);
  const redraw = () => {
    readColours();
    draw();
  };
  new ResizeObserver(draw).observe(canvas);
  const theme = new MutationObserver(redraw);
  theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  window.addEventListener("load", redraw);
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
  live.journey = { go, scene: () => scene, settled: () => now.overlays[scene] > 0.999 };
  journey.dataset.live = "ready";
})();
