/* What a term of the glossary means, in a note beside its link: on hover, on focus, at the first tap. */
"use strict";
(() => {
  // Marks words that tools/site_words.py puts into the language of the edition.
  const tr = (words) => words;
  const LINKS = "a.reference[href*='#term-']"; // and not the marks beside the glossary's own entries
  const PATIENCE = 150; // milliseconds: a pointer that passes by wants nothing, one on its way may return
  let note, link, timer, touched;

  const meaning = (of) => {
    const notes = document.getElementById("term-notes")?.content;
    const anchor = new URL(of.href).hash.slice(1);
    return notes?.querySelector(`[data-term="${CSS.escape(anchor)}"]`);
  };

  function show(of) {
    clearTimeout(timer);
    if (of === link || !meaning(of)) return;
    hide();
    link = of;
    note = document.createElement("div");
    note.className = "term-note";
    const said = meaning(of).cloneNode(true);
    said.id = "term-note";
    const more = document.createElement("a");
    more.href = of.href;
    more.tabIndex = -1; // the keyboard is on the term, which leads there too
    more.textContent = tr("In the glossary");
    note.append(said, more);
    note.addEventListener("pointerenter", () => clearTimeout(timer));
    note.addEventListener("pointerleave", hideSoon);
    document.body.append(note);
    link.setAttribute("aria-describedby", said.id);
    place();
  }

  // Below the term, or above it where there is no room, and never over the edge of the page.
  function place() {
    const { left, top, bottom } = link.getClientRects()[0];
    const room = document.documentElement.clientWidth - note.offsetWidth - 8;
    const above = bottom + note.offsetHeight + 8 > innerHeight && top > note.offsetHeight + 8;
    note.style.left = `${scrollX + Math.max(8, Math.min(left, room))}px`;
    note.style.top = `${scrollY + (above ? top - note.offsetHeight - 4 : bottom + 4)}px`;
  }

  function hide() {
    clearTimeout(timer);
    link?.removeAttribute("aria-describedby");
    note?.remove();
    note = link = undefined;
  }
  const hideSoon = () => {
    clearTimeout(timer);
    timer = setTimeout(hide, PATIENCE);
  };

  const term = ({ target }) => target.closest?.(LINKS);
  document.addEventListener("pointerover", (event) => {
    const of = term(event);
    if (!of || event.pointerType === "touch") return;
    clearTimeout(timer);
    timer = setTimeout(show, PATIENCE, of);
  });
  document.addEventListener("pointerout", (event) => {
    if (term(event) && event.pointerType !== "touch" && document.activeElement !== link) hideSoon();
  });
  // A tap gives the focus before it clicks; what it may do is decided then.
  document.addEventListener("pointerdown", (event) => {
    touched = event.pointerType === "touch";
    if (!term(event) && !event.target.closest?.(".term-note")) hide();
  });
  document.addEventListener("focusin", (event) => {
    const of = term(event);
    if (of && !touched) show(of);
  });
  document.addEventListener("focusout", (event) => {
    if (term(event) && !event.relatedTarget?.closest?.(".term-note")) hideSoon();
  });
  document.addEventListener("click", (event) => {
    const of = term(event);
    if (!of || !touched || of === link || !meaning(of)) return;
    event.preventDefault();
    show(of);
  });
  document.addEventListener("keydown", ({ key }) => {
    touched = false;
    if (key === "Escape") hide();
  });
  window.addEventListener("resize", hide);
})();
