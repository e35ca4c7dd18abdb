// The board renews itself when something changed, once a second at the most and never without the last change.
// An open sheet renews itself too, unless somebody is at work on it.
"use strict";

const busyAt = (sheet) => sheet.querySelector("details[open]") || sheet.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");
const renew = (() => {
  let last = 0, timer = null;
  const now = () => {
    timer = null;
    last = Date.now();
    document.querySelector("[data-renews]")?.dispatchEvent(new CustomEvent("refresh"));
    for (const sheet of document.querySelectorAll(".case-sheet[data-case]")) {
      if (!busyAt(sheet)) sheet.dispatchEvent(new CustomEvent("refresh"));
    }
  };
  return () => { if (timer === null) timer = setTimeout(now, Math.max(0, 1000 - (Date.now() - last))); };
})();
for (const place of document.querySelectorAll("[data-live]")) place.addEventListener("live", renew);
// What was asked for before somebody set to work must not come in between.
document.addEventListener("htmx:before:swap", (event) => {
  if (event.target.matches?.(".case-sheet[data-case]") && busyAt(event.target)) event.preventDefault();
});
// Waiting grows and shifts end without anybody doing anything.
if (document.querySelector("[data-renews]")) setInterval(renew, 60000);

// What was found is put away by Escape, by a click elsewhere, and when a case is opened.
const found = () => document.getElementById("found");
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-closes-found]") || !event.target.closest(".finder")) setTimeout(() => found()?.replaceChildren(), 0);
});
document.addEventListener("keydown", (event) => {
  if (!event.target.closest?.(".finder")) return;
  if (event.key === "Escape") { found()?.replaceChildren(); event.target.blur(); }
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const lines = [...found().querySelectorAll("a")];
    const at = lines.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    if (lines.length) { event.preventDefault(); lines[Math.max(0, Math.min(at, lines.length - 1))].focus(); }
  }
});
// A sheet shows one form at a time.
document.addEventListener("toggle", (event) => {
  const act = event.target;
  if (!act.matches?.("details.act") || !act.open) return;
  for (const other of act.closest(".case-sheet")?.querySelectorAll("details.act[open]") ?? []) if (other !== act && !other.contains(act)) other.open = false;
  act.querySelector("input:not([type=hidden]), select, textarea")?.focus();
}, true);
