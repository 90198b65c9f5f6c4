// Tables that sort and filter where scripts run; without them they are as they were written.
"use strict";

const words = new Intl.Collator("vi", { numeric: true });
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").replace(/đ/gi, "d").toLowerCase();

// A cell as what it is compared by: a date, a number written the Vietnamese way, or its words; what is empty comes last.
function key(row, column) {
  const text = row.cells[column]?.innerText.trim() ?? "";
  const day = text.match(/^(?:(\d\d):(\d\d) )?(\d\d)\/(\d\d)\/(\d{4})/);
  if (day) return Number(day[5] + day[4] + day[3] + (day[1] ?? "00") + (day[2] ?? "00"));
  const number = text.match(/^[+-]?\d{1,3}(\.\d{3})*(,\d+)?(?![\d.,]*[^\d.,%\s]*\d)/) ?? text.match(/^[+-]?\d+(,\d+)?/);
  if (number) return Number(number[0].replaceAll(".", "").replace(",", "."));
  return ["", "–", "…"].includes(text) ? null : text;
}

function compare(one, other) {
  if (one === null || other === null) return (one === null) - (other === null);
  return typeof one === "number" && typeof other === "number" ? one - other : words.compare(String(one), String(other));
}

function sortBy(table, head, column) {
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [key(row, column), row]);
  rows.sort(([one], [other]) => (one === null || other === null ? compare(one, other) : down ? compare(other, one) : compare(one, other)));
  body.append(...rows.map(([, row]) => row));
}

function sortable(table) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sortBy(table, head, column));
    head.append(button);
  });
}

const LONG = 8; // rows, from which on a table is worth searching

// A field above a table, or above the first of a group of tables, that leaves the rows with all words typed into it.
function searchable(table) {
  const group = table.dataset.group;
  const tables = group ? document.querySelectorAll(`table[data-group="${group}"]`) : [table];
  const rows = [...tables].flatMap((one) => [...one.tBodies[0].rows]).map((row) => [row, plain(row.innerText)]);
  if (rows.length < LONG) return;
  const [finder, label, field, found] = ["div", "label", "input", "span"].map((name) => document.createElement(name));
  finder.className = "finder";
  field.type = "search";
  found.className = "soft";
  found.setAttribute("role", "status");
  label.append(table.dataset.filter, field);
  finder.append(label, found);
  table.parentElement.before(finder);
  field.addEventListener("input", () => {
    const wanted = plain(field.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const [row, text] of rows) {
      row.hidden = !wanted.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    found.textContent = wanted.length ? `${shown.toLocaleString("vi")} / ${rows.length.toLocaleString("vi")}` : "";
  });
}

function prepare(part) {
  for (const table of part.querySelectorAll("table[data-sort]:not([data-ready])")) {
    table.dataset.ready = "";
    sortable(table);
    if ("filter" in table.dataset) searchable(table);
  }
}

prepare(document);
document.addEventListener("htmx:load", (event) => prepare(event.target)); // a part of the page that came later
