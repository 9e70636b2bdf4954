(() => {
  "use strict";
  const words = (text) => text.toLowerCase().trim().split(/\s+/).filter(Boolean);
  const chosen = (form) => {
    const selects = {}, checks = {};
    for (const control of form.elements) {
      if (control.tagName === "SELECT" && control.value) selects[control.name] = control.value;
      if (control.type === "checkbox") {
        const of = (checks[control.name] ??= { all: 0, ticked: new Set() });
        of.all += 1;
        if (control.checked) of.ticked.add(control.value);
      }
    }
    return { text: words(form.elements.text.value), selects, checks };
  };
  const textOf = (item) =>
    (item.searched ??= `${item.dataset.words ?? ""} ${item.textContent}`.toLowerCase());
  const valuesOf = (item, name) => (item.dataset[name] ?? "").split(" ");
  const fits = (item, wanted) =>
    wanted.text.every((word) => textOf(item).includes(word)) &&
    Object.entries(wanted.selects).every(([name, value]) => valuesOf(item, name).includes(value)) &&
    Object.entries(wanted.checks).every(
      ([name, { all, ticked }]) =>
        ticked.size === all || valuesOf(item, name).some((each) => ticked.has(each)),
    );
  const plain = (holder, wanted) => {
    const items = [...holder.querySelectorAll("[data-item]")];
    let shown = 0;
    for (const item of items) {
      item.hidden = !fits(item, wanted);
      shown += item.hidden ? 0 : 1;
    }
    for (const group of holder.querySelectorAll("[data-holds], section:has([data-item])"))
      group.hidden = !group.querySelector("[data-item]:not([hidden])");
    return [shown, items.length];
  };
  for (const form of document.querySelectorAll("form[data-filters]")) {
    const holder = document.getElementById(form.dataset.filters);
    const apply = () => {
      const wanted = chosen(form);
      const act = holder.narrow ?? ((each) => plain(holder, each));
      const [shown, all] = act(wanted);
      form.querySelector("output").textContent =
        shown === all ? `${all} ${form.dataset.noun}` : `${shown} of ${all} ${form.dataset.noun}`;
    };
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", (event) => {
      event.preventDefault();
      for (const control of form.elements) {
        if (control.type === "checkbox") control.checked = true;
        else if (control.tagName !== "BUTTON" && control.tagName !== "FIELDSET") control.value = "";
      }
      apply();
    });
    form.hidden = false;
    // A browser may have kept what was ticked before the page was loaded again.
    document.addEventListener("DOMContentLoaded", apply);
  }
  for (const each of document.querySelectorAll("[data-plain]")) each.hidden = true;
  addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll("details[data-print]")) each.open = true;
  });
})();
