// Buttons in the headers of tables, that sort their rows: numbers as numbers, then text; what has no value comes last.
"use strict";
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const headers = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  headers.forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    header.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const direction = header.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
      const sign = direction === "ascending" ? 1 : -1;
      const isNumeric = header.classList.contains("number");
      const key = (row) => {
        const cell = row.cells[column];
        return isNumeric ? Number.parseFloat(cell.dataset.value ?? "NaN") : cell.textContent;
      };
      const rows = [...body.rows].map((row) => [key(row), row]);
      rows.sort(([a], [b]) => {
        if (!isNumeric) return sign * a.localeCompare(b, "en", { numeric: true });
        return Number.isNaN(a) || Number.isNaN(b) ? Number.isNaN(a) - Number.isNaN(b) : sign * (a - b);
      });
      body.append(...rows.map(([, row]) => row));
      for (const other of headers) other.setAttribute("aria-sort", other === header ? direction : "none");
    });
  });
}

// Sections fold: a link to one unfolds it, paper has them all unfolded, and a button unfolds or folds them.
const sections = [...document.querySelectorAll("details")];
const unfoldTarget = () => {
  const target = document.getElementById(location.hash.slice(1))?.querySelector("details");
  if (target) target.open = true;
};
addEventListener("hashchange", unfoldTarget);
unfoldTarget();
for (const link of document.querySelectorAll("nav a")) link.addEventListener("click", () => setTimeout(unfoldTarget));
addEventListener("beforeprint", () => sections.forEach((section) => (section.open = true)));
const all = document.createElement("button");
all.type = "button";
all.textContent = "Unfold all";
all.addEventListener("click", () => {
  const isOpen = all.textContent === "Unfold all";
  for (const section of sections) section.open = isOpen;
  all.textContent = isOpen ? "Fold all" : "Unfold all";
});
const entry = document.createElement("li");
entry.append(all);
document.querySelector("nav ol").append(entry);
