// Opens the list behind a bar that is clicked. The addresses are in the chart's data, beside the values.
(() => {
  "use strict";
  const addressAt = (canvas, event) => {
    const chart = window.Chart && window.Chart.getChart(canvas);
    const [found] = chart ? chart.getElementsAtEventForMode(event, "nearest", { intersect: true }, false) : [];
    return found && (chart.data.datasets[found.datasetIndex].addresses || [])[found.index];
  };
  document.addEventListener("click", (event) => {
    const address = event.target.matches("canvas.chart") && addressAt(event.target, event);
    if (address) window.location.assign(address);
  });
  document.addEventListener("mousemove", (event) => {
    if (event.target.matches("canvas.chart")) {
      event.target.classList.toggle("cursor-pointer", Boolean(addressAt(event.target, event)));
    }
  });
})();
