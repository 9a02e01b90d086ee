"use strict";
(() => {
  // Light and dark.
  const root = document.documentElement;
  const dark = () => root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = document.createElement("button");
  theme.type = "button";
  theme.className = "theme";
  const name = () => { theme.textContent = dark() ? "Light theme" : "Dark theme"; };
  theme.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    name();
  });
  name();
  document.querySelector("header").append(theme);

  // Tables: every column sorts, and long tables can be searched.
  const value = (cell) => {
    const raw = cell?.dataset.value;
    if (raw === "null") return [2, 0];
    const number = Number(raw);
    return raw !== undefined && Number.isFinite(number) ? [0, number] : [1, cell?.textContent ?? ""];
  };
  const compare = (a, b) => a[0] - b[0]
    || (a[0] === 0 ? a[1] - b[1] : a[0] === 1 ? a[1].localeCompare(b[1], "en", { numeric: true }) : 0);
  for (const table of document.querySelectorAll("table")) {
    const body = table.tBodies[0];
    if (body.rows.length < 2) continue;
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.textContent = "↕";
      button.setAttribute("aria-label", `Sort by ${head.textContent || "column"}`);
      button.addEventListener("click", () => {
        const numbers = head.classList.contains("n");
        const down = head.ariaSort ? head.ariaSort === "ascending" : numbers;
        for (const other of heads) {
          other.removeAttribute("aria-sort");
          other.querySelector("button.sort").textContent = "↕";
        }
        head.ariaSort = down ? "descending" : "ascending";
        button.textContent = down ? "↓" : "↑";
        const rows = [...body.rows].map((row) => [value(row.cells[column]), row]);
        // What is not told stays at the end, whichever way.
        rows.sort(([a], [b]) => (down && a[0] !== 2 && b[0] !== 2 ? compare(b, a) : compare(a, b)));
        body.append(...rows.map(([, row]) => row));
      });
      head.append(button);
    });
    if (body.rows.length > 15) {
      const label = document.createElement("label");
      label.className = "find";
      label.textContent = "Find";
      const input = document.createElement("input");
      input.type = "search";
      label.append(input);
      const texts = new Map([...body.rows].map((row) => [row, row.textContent.toLowerCase()]));
      input.addEventListener("input", () => {
        const wanted = input.value.trim().toLowerCase();
        for (const [row, text] of texts) row.hidden = !text.includes(wanted);
      });
      table.closest(".scroll").before(label);
    }
  }

  // Paper shows the tables that are folded away.
  addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details:has(table)")) one.open = true;
  });
})();
