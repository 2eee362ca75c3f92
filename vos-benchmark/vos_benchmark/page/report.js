"use strict";
const table = document.getElementById("objects");
const body = table.tBodies[0];

function sortBy(header, index) {
  const descending = header.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const key = row => row.cells[index].dataset.value ?? row.cells[index].textContent;
  const order = header.dataset.kind === "number"
    ? (a, b) => Number(key(a)) - Number(key(b))
    : (a, b) => key(a).localeCompare(key(b), undefined, { numeric: true });
  const rows = [...body.rows].sort(order);
  body.append(...(descending ? rows.reverse() : rows));
}

[...table.tHead.rows[0].cells].forEach((header, index) => {
  const button = header.querySelector("button");
  if (button) button.addEventListener("click", () => sortBy(header, index));
});

document.getElementById("filter").addEventListener("input", event => {
  const wanted = event.target.value.toLowerCase();
  for (const row of body.rows) row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
});

body.addEventListener("click", event => {
  const row = event.target.closest("tr");
  const chart = document.getElementById(row.dataset.chart);
  document.querySelectorAll(".chart.found").forEach(other => other.classList.remove("found"));
  chart.classList.add("found");
  chart.scrollIntoView({ behavior: "smooth", block: "center" });
});

document.querySelectorAll("figure").forEach(figure => {
  figure.addEventListener("click", () => figure.classList.toggle("large"));
});

const frames = JSON.parse(document.getElementById("frames").textContent);
const tip = document.getElementById("tip");

document.querySelectorAll(".chart svg").forEach(svg => {
  const cursor = svg.querySelector(".cursor");
  svg.addEventListener("pointermove", event => {
    const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const region = [...svg.querySelector("polyline.j").points];
    const boundary = svg.querySelector("polyline.f").points;
    let nearest = 0;
    region.forEach((point, i) => {
      if (Math.abs(point.x - place.x) < Math.abs(region[nearest].x - place.x)) nearest = i;
    });
    const percent = y => (100 * (svg.dataset.bottom - y) / (svg.dataset.bottom - svg.dataset.top)).toFixed(1);
    const name = frames[svg.dataset.video][Number(svg.dataset.first) + nearest];
    tip.textContent = `frame ${name}: J ${percent(region[nearest].y)}, F ${percent(boundary[nearest].y)}`;
    tip.hidden = false;
    tip.style.left = `${Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${event.clientY + 14}px`;
    cursor.setAttribute("x1", region[nearest].x);
    cursor.setAttribute("x2", region[nearest].x);
    cursor.removeAttribute("visibility");
  });
  svg.addEventListener("pointerleave", () => {
    tip.hidden = true;
    cursor.setAttribute("visibility", "hidden");
  });
});
