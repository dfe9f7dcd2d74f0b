// The latent-space explorer of chapter 4: move a point, and the decoder draws the digit.
"use strict";

bookLive.figure(
  "fig-latent-explorer",
  ["digit-decoder", "digit-points"],
  async (panel, net, held) => {
    const { element, svg, signed, tr } = bookLive;
    const SIZE = 400; // of the drawing, in its own units
    const decoder = await bookLive.network(net);
    const means = bookLive.halves(await bookLive.unpack(held.packed));
    const reach = held.reach; // the plane shows latents from -reach to reach
    const toX = (z) => (SIZE * (z + reach)) / (2 * reach);
    const toY = (z) => SIZE - toX(z);
    const bounded = (z) => Math.min(reach, Math.max(-reach, z));
    const decode = (z) => decoder(z).map((logit) => 1 / (1 + Math.exp(-logit)));
    let z = [0, 0];

    // The plane, with each held-out digit as a small numeral at its posterior mean.
    const plane = svg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, class: "live-plane", tabindex: 0 });
    plane.setAttribute("role", "application");
    plane.setAttribute("aria-roledescription", tr("plane"));
    plane.setAttribute(
      "aria-label",
      tr("Latent plane. Arrow keys move the point, with Shift in larger steps."),
    );
    for (let step = Math.ceil(-reach); step <= reach; step++) {
      const kind = step === 0 ? "live-axis" : "live-grid";
      plane.append(
        svg("path", { d: `M${toX(step)} 0V${SIZE}M0 ${toY(step)}H${SIZE}`, class: kind }),
      );
      if (step % 2 || step === 0 || Math.abs(step) >= reach) continue;
      plane.append(
        svg("text", { x: toX(step) + 3, y: SIZE - 5, class: "live-tick" }, signed(step, 0)),
      );
      plane.append(svg("text", { x: 4, y: toY(step) - 3, class: "live-tick" }, signed(step, 0)));
    }
    plane.append(svg("text", { x: SIZE - 18, y: toY(0) - 5 }, "z\u2081"));
    plane.append(svg("text", { x: toX(0) + 5, y: 14 }, "z\u2082"));
    const groups = Array.from({ length: 10 }, (_, digit) =>
      plane.appendChild(svg("g", { class: `live-points live-digit-${digit}` })),
    );
    [...held.labels].forEach((label, i) => {
      const place = { x: toX(means[2 * i]), y: toY(means[2 * i + 1]) + 4 };
      groups[label].append(svg("text", place, label));
    });
    const handle = svg("g", { class: "live-handle" });
    handle.append(svg("circle", { r: 28, class: "live-grip" }), svg("circle", { r: 8 }));
    plane.append(handle);

    const picture = element("canvas", {
      width: 28,
      height: 28,
      class: "live-picture",
      role: "img",
    });
    const readout = element("p", { class: "live-readout" });
    const voice = bookLive.announcer();
    voice.text.classList.add("live-hidden");
    const sliders = [0, 1].map((axis) =>
      bookLive.slider(`z${"\u2081\u2082"[axis]}`, {
        min: -reach,
        max: reach,
        step: 0.05,
        format: (value) => signed(value, 2),
        change: (value) => move(axis === 0 ? [value, z[1]] : [z[0], value]),
      }),
    );

    function nearestDigit() {
      let best = Infinity;
      let label;
      for (let i = 0; i < held.labels.length; i++) {
        const distance = Math.hypot(means[2 * i] - z[0], means[2 * i + 1] - z[1]);
        if (distance < best) [best, label] = [distance, held.labels[i]];
      }
      return label;
    }

    function move(to) {
      z = to.map(bounded);
      handle.setAttribute("transform", `translate(${toX(z[0])} ${toY(z[1])})`);
      bookLive.paint(picture, decode(z));
      sliders.forEach((slider, axis) => slider.set(z[axis]));
      const where = `z = (${signed(z[0], 2)}, ${signed(z[1], 2)})`;
      const words = tr(`${where}; the nearest held-out digit is a ${nearestDigit()}.`);
      picture.setAttribute("aria-label", tr(`The image that the decoder draws for ${where}`));
      readout.textContent = tr(`Nearest held-out digit: ${nearestDigit()}`);
      voice.say(words);
    }

    // A mouse may start anywhere. A finger must start on the point, so that the page still scrolls.
    const follow = (event) => {
      const box = plane.getBoundingClientRect();
      const across = (event.clientX - box.left) / box.width;
      const down = (event.clientY - box.top) / box.height;
      move([(2 * across - 1) * reach, (1 - 2 * down) * reach]);
    };
    // The style touch-action does nothing for parts of a drawing.
    handle.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    let dragging = false;
    plane.addEventListener("pointerdown", (event) => {
      dragging = event.pointerType === "mouse" || handle.contains(event.target);
      if (!dragging) return;
      plane.setPointerCapture(event.pointerId);
      if (event.pointerType === "mouse") follow(event);
    });
    plane.addEventListener("pointermove", (event) => dragging && follow(event));
    for (const end of ["pointerup", "pointercancel"]) {
      plane.addEventListener(end, () => (dragging = false));
    }
    plane.addEventListener("click", follow); // a tap
    const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    plane.addEventListener("keydown", (event) => {
      const way = event.key === "Home" ? [-z[0], -z[1]] : KEYS[event.key];
      if (!way) return;
      event.preventDefault();
      const step = event.key === "Home" ? 1 : event.shiftKey ? 0.5 : 0.1;
      move([z[0] + step * way[0], z[1] + step * way[1]]);
    });

    // The legend fades all digits but one.
    const legend = element("div", {
      class: "live-legend",
      role: "group",
      "aria-label": tr("Show one digit"),
    });
    const buttons = groups.map((_, digit) => {
      const names = { type: "button", "aria-pressed": "false", class: `live-digit-${digit}` };
      const button = element("button", names, String(digit));
      button.addEventListener("click", () => {
        const only = button.getAttribute("aria-pressed") === "false";
        buttons.forEach((other) => other.setAttribute("aria-pressed", only && other === button));
        groups.forEach((group, i) => group.classList.toggle("live-faded", only && i !== digit));
      });
      return button;
    });
    legend.append(...buttons);

    const side = element("div", { class: "live-side" }, picture, element("div", {}, readout));
    side.lastChild.append(
      ...sliders.map((slider) => slider.row),
      element("p", { class: "live-note" }, tr("Show only")),
      legend,
    );
    panel.classList.add("live-latent");
    panel.append(plane, side, voice.text);
    move(held.start);
    bookLive.latent = { decode, move, position: () => [...z] };
  },
  bookLive.tr("Explore this plane"),
);
