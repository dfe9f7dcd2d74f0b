// The beta figure of chapter 4: one slider, eight trained models, and all that changes with it.
"use strict";

bookLive.figure("fig-beta", ["beta-models"], async (panel, models) => {
  const { element, svg, tr } = bookLive;
  const SIZE = 400; // of the plane, in its own units
  const SMALLEST = 2.5; // half an axis of the smallest ellipse, so that it is seen
  const TIME = 450; // milliseconds from one beta to the next
  const { betas, protocol, digits, labels } = models;
  const queries = 10;
  const unpack = async (text) => bookLive.unpack(text);
  const points = bookLive.halves(await unpack(models.points)); // beta, point: x, y, xx, xy, yy
  const places = bookLive.halves(await unpack(models.places)); // beta, query, neighbour: x, y
  const low = await unpack(models.near); // beta, query, neighbour: which gallery image
  const near = Array.from({ length: low.length / 2 }, (_, i) => low[i] | (low[low.length / 2 + i] << 8));
  const octets = await unpack(models.packed); // queries, then redrawn ones, then gallery images
  const image = (i) => Float32Array.from(octets.subarray(784 * i, 784 * (i + 1)), (v) => v / 255);
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  let beta = models.start;
  let before = beta;
  let query = models.chosen;

  const canvas = (label) => {
    const attributes = { width: 28, height: 28, role: "img", "aria-label": label };
    return element("canvas", label ? attributes : { width: 28, height: 28, "aria-hidden": "true" });
  };
  const nearest = (b, q) => near.slice(10 * (queries * b + q), 10 * (queries * b + q + 1));

  // -- Three dials: an arc from the least to the most, the mean of the seeds, and their range -------

  const DIALS = [
    [tr("rate"), models.rate, tr("nats"), 0, "live-price"],
    [tr("distortion"), models.distortion, tr("nats"), 0, "live-good"],
    ["P@10", models.precision, "", 2, "live-bound"],
  ];
  const onArc = (share, radius) => {
    const angle = Math.PI * (1 - share);
    return `${(60 + radius * Math.cos(angle)).toFixed(2)} ${(58 - radius * Math.sin(angle)).toFixed(2)}`;
  };
  const arc = (from, to, radius) =>
    `M${onArc(from, radius)}A${radius} ${radius} 0 0 1 ${onArc(to, radius)}`;

  const dials = DIALS.map(([name, seeds, unit, places, kind]) => {
    const all = seeds.flat();
    const step = name === "P@10" ? 1 : 20;
    const from = seeds === models.distortion ? step * Math.floor(Math.min(...all) / step) : 0;
    const to = step * Math.ceil(Math.max(...all) / step);
    const share = (value) => (value - from) / (to - from);
    const drawing = svg("svg", { viewBox: "0 0 120 88", "aria-hidden": "true" });
    const band = svg("path", { class: `live-band ${kind}` });
    const needle = svg("path", { class: "live-needle" });
    const number = svg("text", { x: 60, y: 84, class: "live-middle live-reading" });
    drawing.append(svg("path", { d: arc(0, 1, 46), class: "live-track" }), band);
    seeds.forEach((values) => {
      const at = share(mean(values));
      drawing.append(svg("path", { d: `M${onArc(at, 51)}L${onArc(at, 55)}`, class: "live-axis" }));
    });
    drawing.append(
      needle,
      svg("circle", { cx: 60, cy: 58, r: 4, class: "live-pin" }),
      svg("text", { x: 14, y: 71, class: "live-tick live-middle" }, String(from)),
      svg("text", { x: 106, y: 71, class: "live-tick live-middle" }, String(to)),
      number,
    );
    const box = element("div", { class: "live-dial" }, element("p", { class: "live-title" }, name));
    box.append(drawing);
    return {
      box,
      number,
      // From one beta to another, a part of the way.
      show(a, b, part) {
        const [first, last] = [seeds[a], seeds[b]].map(mean);
        const value = first + part * (last - first);
        const range = [Math.min, Math.max].map((pick) => {
          return share(pick(...seeds[a]) + part * (pick(...seeds[b]) - pick(...seeds[a])));
        });
        const [start, end] = [Math.max(0, range[0] - 0.004), Math.min(1, range[1] + 0.004)];
        band.setAttribute("d", arc(start, end, 46));
        needle.setAttribute("d", `M60 58L${onArc(share(value), 42)}`);
        number.textContent = `${value.toFixed(places)}${unit && " "}${unit}`;
      },
    };
  });

  // -- The plane: the posterior of each held-out digit as an ellipse of one standard deviation ------

  const furthest = [0, 1].map((axis) =>
    Math.max(...points.filter((_, i) => i % 5 === axis).map(Math.abs)),
  );
  const reach = Math.ceil(2 * Math.max(...furthest, ...places.map(Math.abs))) / 2 + 0.5;
  const unit = SIZE / (2 * reach);
  const toX = (x) => SIZE / 2 + unit * x;
  const toY = (y) => SIZE / 2 - unit * y;
  const plane = svg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, class: "live-field live-cut" });
  plane.setAttribute("role", "img");
  plane.append(
    svg("path", { d: `M${SIZE / 2} 0V${SIZE}M0 ${SIZE / 2}H${SIZE}`, class: "live-grid" }),
  );
  const clouds = svg("g", { class: "live-posteriors" });
  const ellipses = digits.map((digit) =>
    clouds.appendChild(svg("ellipse", { class: `live-digit-${digit}` })),
  );
  const rays = svg("g");
  const numerals = digits
    .slice(0, queries)
    .map((digit) => svg("text", { class: "live-middle live-numeral" }, String(digit)));
  const prior = svg("circle", { cx: SIZE / 2, cy: SIZE / 2, r: unit, class: "live-edge" });
  plane.append(clouds, prior, rays, ...numerals);

  function place(i, x, y, xx, xy, yy) {
    const middle = (xx + yy) / 2;
    const half = Math.hypot((xx - yy) / 2, xy);
    const ellipse = ellipses[i];
    const radius = (variance) => Math.max(SMALLEST, unit * Math.sqrt(Math.max(0, variance)));
    const angle = (-90 / Math.PI) * Math.atan2(2 * xy, xx - yy);
    ellipse.setAttribute("rx", radius(middle + half).toFixed(2));
    ellipse.setAttribute("ry", radius(middle - half).toFixed(2));
    const [left, top] = [toX(x).toFixed(2), toY(y).toFixed(2)];
    ellipse.setAttribute("transform", `translate(${left} ${top}) rotate(${angle.toFixed(2)})`);
    numerals[i]?.setAttribute("transform", `translate(${left} ${Number(top) + 5})`);
  }

  function drawAt(a, b, part) {
    const n = 5 * digits.length;
    for (let i = 0; i < digits.length; i++) {
      const between = (k) => {
        const [first, last] = [a, b].map((scene) => points[n * scene + 5 * i + k]);
        return first + part * (last - first);
      };
      place(i, ...[0, 1, 2, 3, 4].map(between));
    }
    dials.forEach((dial) => dial.show(a, b, part));
    rays.style.visibility = part === 1 ? "visible" : "hidden";
  }

  function drawRays() {
    rays.replaceChildren();
    const n = 5 * digits.length;
    const [x, y] = [points[n * beta + 5 * query], points[n * beta + 5 * query + 1]];
    nearest(beta, query).forEach((which, rank) => {
      const at = 2 * (10 * (queries * beta + query) + rank);
      const [cx, cy] = [toX(places[at]), toY(places[at + 1])];
      const right = labels[which] === digits[query];
      rays.append(
        svg("path", { d: `M${toX(x)} ${toY(y)}L${cx} ${cy}`, class: "live-ray" }),
        svg("circle", { cx, cy, r: 4.5, class: right ? "live-hit" : "live-miss" }),
      );
    });
  }

  let frame;
  function travel(from, to) {
    cancelAnimationFrame(frame);
    if (from === to || calm.matches) return drawAt(to, to, 1);
    const started = performance.now();
    const step = (now) => {
      const part = Math.min(1, Math.max(0, (now - started) / TIME));
      drawAt(from, to, part * part * (3 - 2 * part));
      if (part < 1) frame = requestAnimationFrame(step);
    };
    step(started);
  }

  // -- Ten queries, each above what the decoder makes of its mean; and what the chosen one finds ----

  const row = element("div", {
    class: "live-examples live-pairs",
    role: "group",
    "aria-label": tr("Choose a query"),
  });
  const redrawn = [];
  const buttons = digits.slice(0, queries).map((digit, i) => {
    const names = { type: "button", "aria-label": tr(`Query: a ${digit}`), "aria-pressed": "false" };
    const button = element("button", names, canvas(), canvas());
    bookLive.paint(button.firstChild, image(i));
    redrawn.push(button.lastChild);
    button.addEventListener("click", () => choose(i));
    return row.appendChild(button);
  });
  const list = element("ol");
  const tiles = Array.from({ length: 10 }, () => {
    const tile = { picture: canvas(" "), name: element("span") };
    tile.item = element("li", {}, tile.picture, tile.name);
    list.append(tile.item);
    return tile;
  });
  const heading = element("p", { class: "live-title" });
  const share = element("p", { class: "live-note" });
  const voice = bookLive.announcer();

  function tell() {
    const digit = digits[query];
    const found = nearest(beta, query);
    const known = new Set(nearest(before, query));
    const fresh = found.filter((which) => !known.has(which)).length;
    const right = found.filter((which) => labels[which] === digit).length;
    found.forEach((which, rank) => {
      const { item, picture, name } = tiles[rank];
      const good = labels[which] === digit;
      bookLive.paint(picture, image(queries * (1 + betas.length) + which));
      picture.setAttribute("aria-label", tr(`Rank ${rank + 1}: a ${labels[which]}`));
      name.textContent = `${labels[which]} ${good ? "\u2713" : "\u2717"}`;
      item.className = good ? "live-right" : "live-wrong";
      item.classList.toggle("live-new", !known.has(which));
    });
    redrawn.forEach((picture, i) => bookLive.paint(picture, image(queries * (1 + beta) + i)));
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === query)));
    numerals.forEach((text, i) => text.classList.toggle("live-chosen", i === query));
    ellipses.forEach((ellipse, i) => ellipse.classList.toggle("live-chosen", i === query));
    heading.replaceChildren(tr(`Nearest to this ${digit}`));
    heading.append(element("span", { class: "live-score" }, tr(`${right} of 10 right`)));
    const part = `${(100 * models.share[beta]).toFixed(0)} %`;
    share.textContent = tr(`This plane holds ${part} of the spread of the means; neighbours are searched in all ${protocol.latents} dimensions.`);
    const [rate, distortion, precision] = DIALS.map(([, seeds]) => mean(seeds[beta]));
    const words = [
      tr(`\u03b2 = ${betas[beta]}: rate ${rate.toFixed(0)} nats, distortion ${distortion.toFixed(0)} nats, P@10 ${precision.toFixed(2)}.`),
      tr(`Of the ten nearest to this ${digit}, ${right} show a ${digit}`),
    ];
    const news = before === beta ? tr(".") : tr(`; ${fresh} were not among the ten at \u03b2 = ${betas[before]}.`);
    plane.setAttribute(
      "aria-label",
      tr(`Posteriors of ${digits.length} held-out digits at \u03b2 = ${betas[beta]}, as ellipses, and the prior as a circle`),
    );
    voice.say(tr(`${words[0]} ${words[1]}${news}`));
  }

  function set(next) {
    if (next !== beta) before = beta;
    beta = next;
    slider.set(beta);
    drawRays();
    travel(before, beta);
    tell();
  }

  function choose(next) {
    query = next;
    before = beta;
    drawRays();
    travel(beta, beta);
    tell();
  }

  const slider = bookLive.slider("\u03b2", {
    min: 0,
    max: betas.length - 1,
    step: 1,
    value: beta,
    format: (i) => String(betas[i]),
    change: set,
  });
  slider.row.classList.add("live-sticky");
  plane.addEventListener("click", (event) => {
    const box = plane.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top].map(
      (pixels) => (pixels * SIZE) / box.width,
    );
    const n = 5 * digits.length * beta;
    const far = (i) => Math.hypot(toX(points[n + 5 * i]) - x, toY(points[n + 5 * i + 1]) - y);
    choose(buttons.map((_, i) => i).sort((i, j) => far(i) - far(j))[0]);
  });

  const { gallery, queries: asked, seeds, epochs, latents } = protocol;
  const facts = element(
    "p",
    { class: "live-note" },
    tr(
      `Dials: all ${asked} held-out queries; mean of ${seeds} seeds, and the coloured arc from the least seed to the most. The ticks outside are the other \u03b2. Models: dense VAEs with ${latents} latents, ${epochs} epochs on the ${gallery.toLocaleString("en")} gallery images. P@10: share of the ten nearest gallery images, by L2 of the means, that show the query's digit. Ellipses, pictures and neighbours: the first seed.`,
    ),
  );
  const side = element("div", { class: "live-side" }, heading, list);
  side.append(
    element("p", { class: "live-note" }, tr("A bar below an image: it was not among the ten before.")),
    share,
    voice.text,
  );
  panel.classList.add("live-beta");
  panel.append(
    slider.row,
    element("div", { class: "live-gauges" }, ...dials.map((dial) => dial.box)),
    element("p", { class: "live-title" }, tr("Ten queries, and each as its mean redraws it")),
    row,
    element("div", { class: "live-halves" }, element("div", {}, plane), side),
    facts,
  );
  drawRays();
  drawAt(beta, beta, 1);
  tell();
  bookLive.beta = {
    set,
    choose,
    state: () => ({
      beta: betas[beta],
      query,
      found: nearest(beta, query).map((which) => labels[which]),
      shown: dials.map((dial) => dial.number.textContent),
    }),
  };
});
