/* The search field and its results: a combobox with a list, in the window of Ctrl-K and on the search page. */
"use strict";
(() => {
  // Marks words that tools/site_words.py puts into the language of the edition.
  const tr = (words) => words;
  const ROOT = document.documentElement.dataset.content_root;
  const SHOWN = 10;

  function make(name, attributes, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  }

  /* A text with the words that were found in it marked. */
  function marked(parts) {
    const joined = [];
    for (const [part, on] of parts) {
      if (on && joined.at(-1)?.[1]) joined.at(-1)[0] += part;
      else joined.push([part, on]);
    }
    return joined.map(([part, on]) => (on ? make("mark", {}, part) : part));
  }

  function option(result, id, split) {
    const place = result.anchor ? `#${result.anchor}` : "";
    const path = [result.label, result.parent].filter(Boolean).join(" › ");
    return make(
      "a",
      { role: "option", id, href: `${ROOT}${result.path}.html${place}`, tabindex: "-1", "data-kind": result.kind },
      make("span", { class: "search-title" }, ...marked(split(result.title))),
      make("span", { class: "search-path" }, path),
      make("span", { class: "search-excerpt" }, ...marked(split(result.excerpt))),
    );
  }

  function attach(form, number) {
    const input = form.querySelector("input");
    const dialog = form.closest("dialog");
    const list = make("div", { role: "listbox", id: `search-list-${number}`, "aria-label": tr("Results"), hidden: "" });
    const status = make("p", { role: "status", class: "search-status" });
    const panel = make("div", { class: "search-panel" }, status, list);
    let active = -1;

    const roles = { role: "combobox", "aria-autocomplete": "list", "aria-controls": list.id, "aria-expanded": "false" };
    for (const [key, value] of Object.entries(roles)) input.setAttribute(key, value);
    form.after(panel);
    if (dialog) form.append(wayOut());

    function activate(place) {
      const options = list.children;
      options[active]?.removeAttribute("aria-selected");
      active = options.length ? (place + options.length) % options.length : -1;
      if (active < 0) return input.removeAttribute("aria-activedescendant");
      options[active].setAttribute("aria-selected", "true");
      options[active].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", options[active].id);
    }

    function show() {
      const query = input.value.trim();
      const { results, split } = window.bookSearch.find(query);
      const shown = results.slice(0, dialog ? SHOWN : 5 * SHOWN);
      list.replaceChildren(...shown.map((result, place) => option(result, `${list.id}-${place}`, split)));
      if (shown.length < results.length && dialog) list.append(wayToAll(query, results.length));
      list.hidden = !shown.length;
      input.setAttribute("aria-expanded", String(shown.length > 0));
      status.textContent = said(query, results.length);
      list.scrollTop = 0;
      activate(0);
    }

    // A phone has no Esc.
    function wayOut() {
      const button = make("button", { type: "button", class: "search-close" }, tr("Close"));
      button.addEventListener("click", () => dialog.close());
      return button;
    }

    function wayToAll(query, count) {
      const href = `${form.action}?q=${encodeURIComponent(query)}`;
      const attributes = { role: "option", id: `${list.id}-all`, href, tabindex: "-1", class: "search-all" };
      return make("a", attributes, tr(`All ${count} results`));
    }

    function said(query, count) {
      if (!query) return tr("A word, a symbol’s name, “equation 2.13” or “exercise 2.1”.");
      if (!count) return tr(`Nothing found for “${query}”. The glossary and the index list all terms.`);
      return count === 1 ? tr("1 result") : tr(`${count} results`);
    }

    const keys = {
      ArrowDown: () => activate(active + 1),
      ArrowUp: () => activate(active - 1),
      Enter: () => list.children[active]?.click(),
    };
    input.addEventListener("keydown", (event) => {
      if (!(event.key in keys) || event.isComposing) return;
      event.preventDefault();
      keys[event.key]();
    });
    // The loupe of a phone's keyboard sends the form without a key.
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      keys.Enter();
    });
    // A place on this very page would stay behind the window.
    list.addEventListener("click", () => dialog?.close());
    input.addEventListener("focus", () => input.select());
    input.addEventListener("input", () => {
      show();
      if (!dialog && location.protocol !== "file:") history.replaceState(null, "", `?q=${encodeURIComponent(input.value)}`);
    });
    if (!dialog) input.value = new URLSearchParams(location.search).get("q") ?? input.value;
    show();
  }

  document.querySelectorAll("form.bd-search").forEach(attach);
})();
