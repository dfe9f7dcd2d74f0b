// What the interactive figures share: data that load late, small networks, pictures and sliders.
"use strict";

(() => {
  if (window.bookLive) return; // each of two figures on a page brings this script
  const FOLDER = new URL("../web/", document.currentScript.src);
  const NEAR = "600px"; // start to load when a figure is this close to the screen
  const live = (window.bookLive = { data: {} });
  const loading = {};
  // Marks words that tools/site_words.py puts into the language of the edition.
  live.tr = (words) => words;

  // -- Data: each file in web/ sets bookLive.data[name], because fetch() refuses file:// ----------

  live.load = (name) => {
    loading[name] ??= new Promise((done, fail) => {
      const script = document.createElement("script");
      script.src = new URL(`${name}.js`, FOLDER);
      script.onload = () => done(live.data[name]);
      script.onerror = () => fail(new Error(`cannot load ${name}.js`));
      document.head.append(script);
    });
    return loading[name];
  };

  live.unpack = async (base64) => {
    const packed = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  };

  function halfToFloat(half) {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    return sign * (1024 + fraction) * 2 ** (exponent - 25);
  }

  // Low bytes of all numbers come first, then the high ones: that packs better.
  live.halves = (bytes) => {
    const n = bytes.length / 2;
    return Float32Array.from({ length: n }, (_, i) => halfToFloat(bytes[i] | (bytes[n + i] << 8)));
  };

  // -- Networks of dense layers: kernel (inputs x outputs) and bias, layer after layer ------------

  live.network = async ({ sizes, packed }) => {
    const numbers = live.halves(await live.unpack(packed));
    const layers = [];
    let start = 0;
    for (let i = 0; i + 1 < sizes.length; i++) {
      const end = start + sizes[i] * sizes[i + 1];
      layers.push({
        kernel: numbers.subarray(start, end),
        bias: numbers.subarray(end, end + sizes[i + 1]),
        rectify: i + 2 < sizes.length, // all but the last layer
      });
      start = end + sizes[i + 1];
    }
    return (input) => layers.reduce(forward, input);
  };

  function forward(input, { kernel, bias, rectify }) {
    const width = bias.length;
    const sums = Float64Array.from(bias);
    for (let i = 0; i < input.length; i++) {
      if (input[i] === 0) continue; // most pixels, and about half of the hidden units
      for (let j = 0, at = i * width; j < width; j++, at++) sums[j] += input[i] * kernel[at];
    }
    return Float32Array.from(sums, rectify ? (sum) => Math.max(sum, 0) : undefined);
  }

  // -- Building the page ---------------------------------------------------------------------------

  live.element = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };

  live.svg = (tag, attributes = {}, text = "") => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.textContent = text;
    return element;
  };

  // Paint 28x28 grey levels in [0, 1] on a canvas of that size; the style sheet enlarges it.
  live.paint = (canvas, pixels) => {
    const side = canvas.width;
    const image = new ImageData(side, side);
    for (let i = 0; i < side * side; i++) {
      image.data.fill(Math.round(255 * pixels[i]), 4 * i, 4 * i + 3);
      image.data[4 * i + 3] = 255;
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
  };

  // A labelled slider that shows its value; format says how.
  live.slider = (label, { min, max, step, value = 0, format = String, change }) => {
    const input = live.element("input", { type: "range", min, max, step, value });
    const output = live.element("output");
    const show = (number) => {
      output.textContent = format(number);
      input.setAttribute("aria-valuetext", output.textContent);
    };
    input.addEventListener("input", () => {
      show(Number(input.value));
      change(Number(input.value));
    });
    show(value);
    const row = live.element("label", { class: "live-slider" }, live.element("span", {}, label));
    row.append(input, output);
    return {
      row,
      set(number) {
        input.value = number; // rounded to a step; the text has the number itself
        show(number);
      },
    };
  };

  // Tell screen readers what changed, once the reader rests. Until then nothing is said rather than
  // what no longer holds.
  live.announcer = () => {
    const seen = live.element("p", { class: "live-result", "aria-hidden": "true" });
    const spoken = live.element("p", { class: "live-hidden", "aria-live": "polite" });
    let timer;
    return {
      text: live.element("div", { class: "live-voice" }, seen, spoken),
      say(words, aloud = words) {
        seen.replaceChildren(words);
        spoken.replaceChildren();
        clearTimeout(timer);
        timer = setTimeout(() => spoken.replaceChildren(aloud), 250);
      },
    };
  };

  // Random numbers that are the same for every reader (mulberry32, then Box and Muller).
  live.random = (seed) => {
    const uniform = () => {
      seed = (seed + 0x6d2b79f5) | 0;
      let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    let spare = null;
    const normal = () => {
      if (spare !== null) {
        const kept = spare;
        spare = null;
        return kept;
      }
      const [length, angle] = [Math.sqrt(-2 * Math.log(1 - uniform())), 2 * Math.PI * uniform()];
      spare = length * Math.sin(angle);
      return length * Math.cos(angle);
    };
    return { uniform, normal };
  };

  live.signed = (number, digits = 1) =>
    `${number < 0 ? "\u2212" : ""}${Math.abs(number).toFixed(digits)}`;

  // Replace the picture of a figure by what build returns, when the reader comes near; or, where
  // the data are too heavy for all readers of a page, when one asks for it with the button named.
  live.figure = (id, files, build, ask) => {
    const figure = document.getElementById(id);
    if (!figure) return;
    const start = async () => {
      try {
        const data = await Promise.all(files.map(live.load));
        const panel = live.element("div", { class: "live" });
        await build(panel, ...data);
        const picture = [...figure.children].filter((child) => child.tagName !== "FIGCAPTION");
        picture.forEach((child) => (child.hidden = true));
        figure.prepend(panel);
        figure.dataset.live = "ready";
      } catch (problem) {
        figure.dataset.live = "failed"; // the picture stays
        console.warn(`The figure ${id} stays a picture: ${problem.message}`);
      }
    };
    if (ask) {
      const button = live.element("button", { type: "button" }, ask);
      const place = live.element("div", { class: "live live-ask" }, button);
      button.addEventListener("click", async () => {
        button.disabled = true;
        await start();
        place.remove();
        figure.querySelector(".live [aria-pressed], .live [tabindex]")?.focus();
      });
      figure.querySelector("figcaption").before(place);
      return;
    }
    if (!("IntersectionObserver" in window)) return void start();
    const watcher = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        watcher.disconnect();
        start();
      },
      { rootMargin: NEAR },
    );
    watcher.observe(figure);
  };
})();
