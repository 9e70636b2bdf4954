(() => {
  "use strict";
  const table = document.querySelector("[data-matrix]");
  if (!table) return;
  const rows = [...table.querySelectorAll("tr[data-item]")];
  const columns = [...table.querySelectorAll("th[data-column]")];
  const groups = [...table.querySelectorAll("th[data-group]")];
  const opened = (row) => document.getElementById(row.dataset.opens);

  // What a filter leaves: columns by group and title, rows by their words, tag and cells.
  table.narrow = ({ text, selects, checks }) => {
    const { group, title, tag } = selects;
    const off = columns.map(
      ({ dataset }) => (group && dataset.of !== group) || (title && dataset.title !== title),
    );
    const kinds = checks.kind;
    const all = !kinds || kinds.ticked.size === kinds.all;
    let shown = 0;
    for (const row of rows) {
      const said = (row.searched ??=
        `${row.cells[0].textContent} ${row.dataset.words ?? ""}`.toLowerCase());
      let found = all && !off.every(Boolean);
      for (let at = 0; at < off.length; at += 1) {
        const cell = row.cells[at + 1];
        cell.hidden = off[at];
        if (!off[at] && !found && kinds.ticked.has(cell.firstChild.className)) found = true;
        if (!all) {
          cell.classList.toggle("dim", !kinds.ticked.has(cell.firstChild.className));
        } else if (cell.classList.contains("dim")) cell.classList.remove("dim");
      }
      row.hidden = !found || (tag && row.dataset.tag !== tag) || !text.every((w) => said.includes(w));
      const details = opened(row);
      if (details) details.hidden = row.hidden;
      shown += row.hidden ? 0 : 1;
    }
    columns.forEach((each, at) => (each.hidden = off[at]));
    for (const each of groups) {
      const left = columns.filter((one) => one.dataset.of === each.dataset.group && !one.hidden);
      each.hidden = !left.length;
      each.colSpan = Math.max(1, left.length);
    }
    for (const body of table.tBodies)
      body.hidden = !body.querySelector("tr[data-item]:not([hidden])");
    return [shown, rows.length];
  };

  // What a cell rests on, beside the map.
  const drawer = document.createElement("aside");
  drawer.className = "drawer";
  drawer.hidden = true;
  drawer.setAttribute("aria-label", "What the cell rests on");
  const close = document.createElement("button");
  close.type = "button";
  close.className = "close";
  close.textContent = "Close";
  const inside = document.createElement("div");
  inside.tabIndex = -1;
  inside.className = "inside";
  drawer.append(close, inside);
  table.closest("section").append(drawer);
  let shown = null, from = null;
  const back = () => {
    if (shown) shown.append(...inside.childNodes);
    shown?.classList.remove("lent");
    shown = null;
    for (const each of document.querySelectorAll(".chosen")) each.classList.remove("chosen");
  };
  const shut = () => {
    if (drawer.hidden) return;
    back();
    drawer.hidden = true;
    document.body.classList.remove("beside");
    from?.focus();
  };
  const open = (link) => {
    const row = link.closest("tr");
    const details = opened(row);
    if (!details) return false;
    back();
    shown = details;
    from = link;
    details.classList.add("lent");
    const heading = details.querySelector("summary").cloneNode(true);
    const title = document.createElement("h3");
    title.className = "heading";
    title.append(...heading.childNodes);
    const rest = [...details.children].filter((each) => each.tagName !== "SUMMARY");
    inside.replaceChildren(...rest);
    drawer.querySelector(".heading")?.remove();
    inside.before(title);
    drawer.hidden = false;
    document.body.classList.add("beside");
    link.classList.add("chosen");
    link.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "instant" });
    const id = decodeURIComponent(link.hash.slice(1));
    const target = inside.querySelector(`#${CSS.escape(id)}`);
    target?.classList.add("chosen");
    inside.scrollTop = 0;
    if (target) inside.scrollTop = target.offsetTop - 44;
    return true;
  };
  close.addEventListener("click", shut);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") shut();
  });
  addEventListener("beforeprint", shut);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (table.contains(link)) {
      if (!open(link)) return;
      event.preventDefault();
      // A link that was followed by the Enter key is to be read on from there.
      if (event.detail === 0) inside.focus();
    } else if (!drawer.contains(link)) shut();
  });

  // The arrow keys go from cell to cell, over what is hidden.
  const cells = (row) => [...row.cells].filter((each) => !each.hidden);
  let stop = null;
  const settle = (link) => {
    if (stop && stop.closest("td")) stop.tabIndex = -1;
    stop = link;
    link.tabIndex = 0;
  };
  const first = table.querySelector("td a");
  if (first) settle(first);
  table.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[
      event.key
    ];
    const link = event.target.closest("td a, th[scope=row] a");
    if (!step || !link || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const row = link.closest("tr");
    const seen = rows.filter((each) => !each.hidden);
    const across = cells(row).indexOf(link.closest("td, th")) + step[1];
    const next = seen[seen.indexOf(row) + step[0]];
    const to = next && cells(next)[across]?.querySelector("a");
    if (!to) return;
    if (to.closest("td")) settle(to);
    to.focus();
    if (!drawer.hidden && to.closest("td")) open(to);
  });
  table.addEventListener("mouseover", (event) => {
    const link = event.target.closest("td a");
    if (!link || link.title) return;
    const { dataset } = columns[link.closest("td").cellIndex - 1];
    const row = link.closest("tr").cells[0].textContent;
    link.title = `${row}, ${dataset.of} ${dataset.title}: ${link.getAttribute("aria-label")}`;
  });
})();
