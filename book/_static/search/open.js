/* The search loads when a reader opens it, on the search page at once; index and scripts lie beside this file. */
"use strict";
(() => {
  const here = document.currentScript.src;
  const address = (name) => new URL(name, here).href;
  let opened = false;

  function load(name) {
    const script = document.createElement("script");
    script.src = address(name);
    script.async = false; // in the order asked for
    document.head.append(script);
  }

  function open() {
    if (opened) return;
    opened = true;
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = address("search.css");
    document.head.append(style);
    ["index.js", "find.js", "box.js"].forEach(load);
  }

  document.addEventListener("focusin", (event) => {
    if (event.target.matches(".bd-search input")) open();
  });
  document.addEventListener("DOMContentLoaded", () => {
    if (document.getElementById("book-search")) open();
  });
})();
