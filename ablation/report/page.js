"use strict";
// Draws every figure of the page, in the colours of the scheme and in the shape of the screen.
(() => {
  const NARROW = 560; // pixels of a figure, below which its narrow layout serves
  const PRINTED = 660; // A4 between its margins, in CSS pixels
  const darkColours = JSON.parse(document.getElementById("dark-colours").textContent);
  const scheme = window.matchMedia("(prefers-color-scheme: dark)");
  const holders = [...document.querySelectorAll("[data-plot]")];
  const options = {
    responsive: true,
    displaylogo: false,
    showTips: false,
    modeBarButtons: [["toImage"]],
    toImageButtonOptions: { format: "png", scale: 2 },
  };
  let printing = false;

  // Only what stands under a key that names a colour is exchanged: a level may be called "#1d64ad", too.
  function darkened(value, isColour) {
    if (typeof value === "string") return (isColour && darkColours[value]) || value;
    if (Array.isArray(value)) return value.map((item) => darkened(item, isColour));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, darkened(item, /color/i.test(key))]),
    );
  }

  function put(layout, path, value) {
    const keys = path.split(".");
    const last = keys.pop();
    const place = keys.reduce((node, key) => (node[key] ??= {}), layout);
    place[last] = value;
  }

  function shapeOf(holder) {
    if (printing) return "print";
    return holder.clientWidth < NARROW ? "narrow" : "wide";
  }

  function draw(holder) {
    const { figure, narrow } = JSON.parse(document.getElementById(holder.dataset.plot).textContent);
    const shape = shapeOf(holder);
    if (shape === "narrow") for (const [path, value] of Object.entries(narrow)) put(figure.layout, path, value);
    if (shape === "print") figure.layout.width = PRINTED;
    figure.layout.autosize = shape !== "print";
    const shown = scheme.matches && !printing ? darkened(figure, false) : figure;
    holder.style.height = `${figure.layout.height}px`;
    holder.dataset.shape = shape;
    return Plotly.react(holder, shown.data, shown.layout, options);
  }

  function drawAll() {
    return Promise.all(holders.map(draw));
  }

  window.addEventListener("resize", () => {
    holders.filter((holder) => !printing && holder.dataset.shape !== shapeOf(holder)).forEach(draw);
  });
  scheme.addEventListener("change", drawAll);
  window.addEventListener("beforeprint", () => {
    printing = true;
    drawAll();
  });
  window.addEventListener("afterprint", () => {
    printing = false;
    drawAll();
  });
  // A link may lead into a table that is folded; not every browser opens it.
  function unfold() {
    const target = document.getElementById(window.location.hash.slice(1));
    const folded = target?.closest("details:not([open])");
    if (!folded) return;
    folded.open = true;
    target.scrollIntoView();
  }
  window.addEventListener("hashchange", unfold);
  drawAll().then(unfold).then(() => document.documentElement.setAttribute("data-drawn", holders.length));
})();
