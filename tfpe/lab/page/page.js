"use strict";
// Tables sort by the column whose title is pressed; cells without a value stay last.
for (const table of document.querySelectorAll("table.sortable")) {
  const headers = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  headers.forEach((header, column) => {
    header.querySelector("button").addEventListener("click", () => {
      const direction =
        header.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
      for (const other of headers) other.setAttribute("aria-sort", "none");
      header.setAttribute("aria-sort", direction);
      const sign = direction === "ascending" ? 1 : -1;
      const numeric = [...body.rows].some((row) => "sort" in row.cells[column].dataset);
      const key = (row) => {
        const cell = row.cells[column];
        if (!numeric) return cell.textContent.trim();
        return "sort" in cell.dataset ? Number(cell.dataset.sort.replace("inf", "Infinity")) : null;
      };
      const compare = (one, other) => {
        const [a, b] = [key(one), key(other)];
        if (a === null || b === null) return (a === null) - (b === null);
        return sign * (numeric ? a - b : a.localeCompare(b));
      };
      body.append(...[...body.rows].sort(compare));
    });
  });
}
// A table that is wider than its place says so, as long as it is.
const watch = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const box = target.closest(".scroll");
    box.previousElementSibling.hidden = box.scrollWidth <= box.clientWidth;
  }
});
for (const box of document.querySelectorAll(".scroll")) {
  watch.observe(box);
  watch.observe(box.firstElementChild);
}
// Paper cannot unfold.
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
