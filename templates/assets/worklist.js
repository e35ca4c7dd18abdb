// The worklist: a selected row that survives refreshes, a filter, declining. The order is the server's.
"use strict";
(() => {
  const home = document.getElementById("worklist");
  const filter = document.querySelector("[data-filter]");
  const dialog = document.getElementById("decline");
  let selected = null;

  const rows = () => [...home.querySelectorAll("tr[data-read]")].filter((row) => !row.hidden);
  const row = () => rows().find((one) => one.dataset.read === selected) ?? null;
  function select(one) {
    selected = one?.dataset.read ?? null;
    for (const other of home.querySelectorAll("tr[data-read]")) {
      if (other === one) other.setAttribute("aria-selected", "true");
      else other.removeAttribute("aria-selected");
    }
    one?.scrollIntoView({ block: "nearest" });
  }
  function sieve() {
    const words = filter.value.normalize("NFKC").toLowerCase().split(/\s+/).filter(Boolean);
    for (const one of home.querySelectorAll("tr[data-read]")) {
      const text = one.textContent.normalize("NFKC").toLowerCase();
      one.hidden = !words.every((word) => text.includes(word));
    }
    select(row() ?? rows()[0] ?? null);
  }
  function decline(one) {
    if (!one || "held" in one.dataset) return;
    const form = dialog.querySelector("form");
    form.action = `/reads/${one.dataset.read}/decline`;
    form.reset();
    dialog.querySelector("[data-decline-what]").textContent = one.dataset.what;
    dialog.showModal();
  }

  filter.addEventListener("input", sieve);
  filter.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { filter.value = ""; sieve(); filter.blur(); }
    if (event.key === "Enter") filter.blur();
  });
  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest?.(selector);
    const move = at("[data-move]");
    if (move) {
      const list = rows(), here = list.indexOf(row());
      select(list[Math.min(list.length - 1, Math.max(0, here + Number(move.dataset.move)))] ?? null);
    } else if (at("[data-open-selected]")) {
      row()?.querySelector(".row-button:not([disabled])")?.form.requestSubmit();
    } else if (at("[data-decline-selected]")) {
      decline(row());
    } else if (at("[data-decline]")) {
      decline(at("tr[data-read]"));
    } else if (at("[data-reason]")) {
      dialog.querySelector("textarea").value = at("[data-reason]").textContent;
      dialog.querySelector("textarea").focus();
    } else if (at("tr[data-read]")) {
      select(at("tr[data-read]"));
    }
  });
  new MutationObserver(sieve).observe(home, { childList: true });
  sieve();
})();
