/* What is wider than the screen scrolls, by keyboard too, and says so; small things that the theme leaves out. */
"use strict";
(() => {
  const BLOCKS =
    "div.math mjx-container, .pst-scrollable-table-container, .bd-article pre, .figure-frame";
  const INLINE = "span.math mjx-container";
  const FRAMES = ".figure-frame";

  // -- What is wide ---------------------------------------------------------------------------------

  // Which sides hide something; the style fades them. Asking for a size after a change sets the whole
  // page anew, so all sizes are asked for before anything changes.
  function hiddenSides(element) {
    const hidden = element.scrollWidth - element.clientWidth;
    const before = element.scrollLeft > 1 ? ["before"] : [];
    const after = element.scrollLeft < hidden - 1 ? ["after"] : [];
    return [...before, ...after].join(" ");
  }

  function showMore(element) {
    element.dataset.more = hiddenSides(element);
  }

  window.bookMore = showMore; // also for what scripts build: an editor

  // A figure that has less room than on a wide screen.
  const isSmall = (element) =>
    element.matches(FRAMES) && element.clientWidth < element.firstElementChild.getAttribute("width");

  function letScroll({ element, isWide, canFocus, sides }) {
    element.classList.toggle("wide", isWide);
    if (canFocus) element.tabIndex = 0;
    else element.removeAttribute("tabindex");
    if (isWide) element.dataset.more = sides;
    else delete element.dataset.more;
  }

  const measured = (element, isWide = element.scrollWidth > element.clientWidth) => ({
    element,
    isWide,
    canFocus: isWide || isSmall(element),
    sides: isWide ? hiddenSides(element) : "",
  });

  const watcher = new ResizeObserver((entries) =>
    entries.map(({ target }) => measured(target)).forEach(letScroll),
  );

  // A formula in a sentence only scrolls once it is called wide.
  function adaptInline() {
    const formulas = [...document.querySelectorAll(INLINE)];
    formulas.forEach((formula) => formula.classList.remove("wide"));
    const room = (formula) => formula.closest("p, li, td, dd, div").clientWidth;
    const isWide = formulas.map((formula) => formula.offsetWidth > room(formula));
    formulas.forEach((formula, index) => formula.classList.toggle("wide", isWide[index]));
    formulas.map((formula, index) => measured(formula, isWide[index])).forEach(letScroll);
  }

  // Also what is unfolded later: it has a size only then.
  function watchAll() {
    document.querySelectorAll(BLOCKS).forEach((element) => watcher.observe(element));
    adaptInline();
  }

  document.addEventListener(
    "scroll",
    ({ target }) => target.dataset?.more !== undefined && showMore(target),
    { capture: true, passive: true },
  );
  window.addEventListener("load", () => {
    const typeset = window.MathJax?.startup?.promise ?? Promise.resolve();
    typeset.then(() => document.fonts.ready).then(watchAll);
  });
  window.addEventListener("resize", adaptInline);

  // -- Tables that are stacked on a phone: each cell knows the name of its column ------------------

  document.addEventListener("DOMContentLoaded", () => {
    for (const table of document.querySelectorAll(".stacked table")) {
      const names = [...table.querySelectorAll("thead th")].map((head) => head.textContent);
      // A long call breaks after its bracket, and not in the middle of a word.
      for (const word of table.querySelectorAll("code .pre")) {
        const parts = word.textContent.split(/(?<=\()/);
        word.replaceChildren(...parts.flatMap((part) => [part, document.createElement("wbr")]));
      }
      for (const row of table.tBodies[0].rows) {
        [...row.cells].forEach((cell, column) => (cell.dataset.label = names[column]));
      }
    }
  });

  // -- A link that leads into folded code opens it --------------------------------------------------

  function unfold() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const fold = target?.closest("details.hide:not([open])");
    if (!fold) return;
    fold.open = true;
    target.scrollIntoView();
  }
  document.addEventListener("DOMContentLoaded", unfold);
  window.addEventListener("hashchange", unfold);

  // -- The other edition opens at the section that is being read -----------------------------------

  function keepPlace({ target }) {
    const link = target.closest?.(".book-edition");
    if (!link) return;
    const places = [...document.querySelectorAll(".bd-article section section[id], :target")];
    const passed = places.filter((place) => place.getBoundingClientRect().top < innerHeight / 3);
    link.hash = passed.at(-1)?.id ?? "";
  }
  ["click", "auxclick"].forEach((kind) => document.addEventListener(kind, keepPlace));

  // -- Figures on a phone: a touch shows one as large as on a wide screen, the next as before --------

  const enlarge = (frame) =>
    frame.toggleAttribute("data-large", frame.dataset.large === undefined && isSmall(frame));

  document.addEventListener("click", ({ target }) => {
    const frame = target.closest(FRAMES);
    if (frame) enlarge(frame);
  });
  document.addEventListener("keydown", ({ key, target }) => {
    if (key === "Enter" && target.matches(FRAMES)) enlarge(target);
  });

  // -- The contents on a phone: a drawer that closes when a reader has chosen ----------------------

  document.addEventListener("click", ({ target }) => {
    if (target.closest("dialog a[href*='#']")) target.closest("dialog").close();
  });
})();
