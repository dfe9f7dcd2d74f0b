/* What is wider than the screen scrolls, by keyboard too: the theme sees to code, this to formulas and tables. */
"use strict";
(() => {
  const BLOCKS = "div.math mjx-container, .pst-scrollable-table-container";
  const INLINE = "span.math mjx-container";

  function letScroll(element, isWide) {
    element.classList.toggle("wide", isWide);
    if (isWide) element.tabIndex = 0;
    else element.removeAttribute("tabindex");
  }

  function adapt() {
    for (const element of document.querySelectorAll(BLOCKS)) {
      letScroll(element, element.scrollWidth > element.clientWidth);
    }
    const formulas = [...document.querySelectorAll(INLINE)];
    formulas.forEach((formula) => letScroll(formula, false));
    const room = (formula) => formula.closest("p, li, td, dd, div").clientWidth;
    const wide = formulas.filter((formula) => formula.offsetWidth > room(formula));
    wide.forEach((formula) => letScroll(formula, true));
  }

  window.addEventListener("load", () => {
    const typeset = window.MathJax?.startup?.promise ?? Promise.resolve();
    typeset.then(() => document.fonts.ready).then(adapt);
  });
  window.addEventListener("resize", adapt);
})();
