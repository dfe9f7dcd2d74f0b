"""What a test waits for before it looks at a page."""

# Formulas are set by MathJax when it has loaded; a page without any has no MathJax.
TYPESET = "() => !window.MathJax || !MathJax.startup || MathJax.startup.promise.then(() => true)"
# What waits for a formula to be set, and for what watches it to have looked.
SETTLED = f"""async () => {{
  await ({TYPESET})();
  await document.fonts.ready;
  for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
}}"""
