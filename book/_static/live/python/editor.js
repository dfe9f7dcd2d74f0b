// The editor: a text area that knows what Tab and line breaks mean in Python, over coloured code.
"use strict";

(() => {
  const { element } = window.bookPage;

  // -- Colours: the classes that the pages' own code has ------------------------------------------------

  const KEYWORDS =
    "and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield";
  const CONSTANTS = "True False None";
  const BUILTINS = "abs all any bool dict enumerate float int isinstance len list map max min print range reversed round set sorted str sum tuple type zip";
  const words = (list) => new Set(list.split(" "));
  const KINDS = [[words(KEYWORDS), "k"], [words(CONSTANTS), "kc"], [words(BUILTINS), "nb"]];
  const TOKEN =
    /(?<c1>#.*)|(?<s2>[rbfu]{0,2}(?:"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))|(?<mi>\b\d[\w.]*)|(?<word>[\p{L}_][\p{L}\p{N}_]*)|(?<o>[-+*\/%=<>!&|^~@.]+)/giu;

  window.bookPage.colour = (place, code) => {
    const pieces = [];
    let at = 0;
    let before = "";
    for (const match of code.matchAll(TOKEN)) {
      pieces.push(code.slice(at, match.index));
      at = match.index + match[0].length;
      let [kind] = Object.entries(match.groups).find(([, text]) => text !== undefined);
      if (kind === "word") {
        kind = KINDS.find(([list]) => list.has(match[0]))?.[1] ?? "n";
        if (before === "def" || before === "class") kind = "nf";
      }
      before = match[0];
      pieces.push(kind === "n" ? match[0] : element("span", { class: kind }, match[0]));
    }
    // A last line that is empty has a height too.
    place.replaceChildren(...pieces, code.slice(at), "\n");
  };

  // -- The text area --------------------------------------------------------------------------------------

  // So that the browser can undo it; there is no other way that does.
  const insert = (text) => document.execCommand("insertText", false, text);

  function indent(area, back) {
    const { selectionStart: from, selectionEnd: to, value } = area;
    if (!back && !value.slice(from, to).includes("\n")) return insert("    ");
    const first = value.lastIndexOf("\n", from - 1) + 1;
    const end = value.indexOf("\n", Math.max(from, to - 1));
    const last = end < 0 ? value.length : end;
    const lines = value.slice(first, last).split("\n");
    const moved = lines.map((line) => (back ? line.replace(/^ {1,4}/, "") : line && `    ${line}`));
    const text = moved.join("\n");
    if (text === lines.join("\n")) return;
    area.setSelectionRange(first, last);
    insert(text);
    const cursor = Math.max(first, from + moved[0].length - lines[0].length);
    area.setSelectionRange(lines.length > 1 ? first : cursor, lines.length > 1 ? first + text.length : cursor);
  }

  function breakLine(area) {
    const before = area.value.slice(0, area.selectionStart);
    const line = before.slice(before.lastIndexOf("\n") + 1);
    const code = line.replace(/#.*/, "").trim();
    let space = line.match(/^ */)[0].length;
    if (code.endsWith(":")) space += 4;
    else if (/^(return|pass|break|continue|raise)\b/.test(code)) space = Math.max(0, space - 4);
    insert(`\n${" ".repeat(space)}`);
  }

  // ``keys`` maps "Control" and "Shift" to what they do together with Enter.
  window.bookPage.editor = (code, label, help, keys, changed) => {
    const area = element("textarea", {
      "aria-label": label,
      "aria-describedby": help,
      spellcheck: "false",
      autocapitalize: "off",
      autocomplete: "off",
      autocorrect: "off",
      wrap: "off",
    });
    const colours = element("div", { class: "highlight py-colours", "aria-hidden": "true" });
    const draw = () => window.bookPage.colour(colours, area.value);
    let leaving = false; // after Escape, Tab leaves
    area.addEventListener("keydown", (event) => {
      const { key, ctrlKey, metaKey, altKey, shiftKey, isComposing } = event;
      const free = key === "Tab" && leaving;
      if (key !== "Shift") leaving = key === "Escape";
      if (isComposing || altKey || free) return;
      if (key === "Tab" && !ctrlKey) indent(area, shiftKey);
      else if (key === "Enter" && (ctrlKey || metaKey)) keys.Control();
      else if (key === "Enter" && shiftKey) keys.Shift();
      else if (key === "Enter") breakLine(area);
      else return;
      event.preventDefault();
    });
    area.addEventListener("input", () => {
      draw();
      changed();
    });
    area.value = code;
    draw();
    const box = element("div", { class: "py-editor" }, colours, area);
    const sizes = new ResizeObserver(() => window.bookMore(box)); // long lines scroll, and fade
    [box, colours].forEach((part) => sizes.observe(part));
    return {
      box,
      area,
      // As if it were typed, so that it can be undone.
      replace(text) {
        area.focus();
        area.select();
        insert(text);
      },
    };
  };
})();
