"use strict";
(async () => {
  const page = JSON.parse(document.getElementById("charts").textContent);
  const options = {
    actions: false, ast: true, config: page.config, defaultStyle: false,
    mode: "vega-lite", renderer: "svg",
  };
  for (const chart of page.charts) {
    const place = document.getElementById(chart.place);
    const spec = { ...page.specs[chart.kind], datasets: { rows: chart.rows } };
    if (chart.height) spec.height = chart.height;
    await vegaEmbed(place, spec, options);
  }
  document.documentElement.dataset.drawn = String(page.charts.length);
})();
