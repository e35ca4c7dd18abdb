// What every page does: the CSRF header, due clocks, dialogs, drawer, toasts, theme, keys.
// Nothing here decides anything: a page works without it, only less smoothly.
"use strict";

const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";

// Every change that a script sends carries the session's token.
let lastForm = null;
document.addEventListener("htmx:config:request", (event) => {
  event.detail.ctx.request.headers["X-CSRF-Token"] = meta("csrf-token");
  lastForm = event.target.closest?.("form") ?? null;
});

// send(url, data): a change without a form, e.g. an autosave. Resolves to the Response.
window.dokuei = {
  send(url, data, options = {}) {
    const body = data instanceof FormData || data instanceof URLSearchParams ? data : new URLSearchParams(data ?? {});
    return fetch(url, { method: "POST", body, credentials: "same-origin", ...options, headers: { "X-CSRF-Token": meta("csrf-token"), "X-Quiet": "1", Accept: "application/json", ...options.headers } });
  },
  // toast({ tone, text, undo }): a line at the bottom; `undo` is a function, offered for eight seconds.
  toast({ tone = "", text, undo, undoWord }) {
    const toast = document.createElement("div");
    toast.className = `toast ${tone}`;
    toast.dataset.toast = "";
    const line = document.createElement("div");
    line.textContent = text;
    toast.append(line);
    if (undo) {
      const button = document.createElement("button");
      button.className = "button small";
      button.type = "button";
      button.textContent = undoWord;
      button.addEventListener("click", () => { toast.remove(); undo(); });
      toast.append(button);
    }
    document.getElementById("toasts").append(toast);
  },
};

// Due clocks: the same words and steps as ui/due.rs.
const [leftWord, lateWord, days, hours, minutes] = meta("due-words").split("|");
const put = (pattern, ...numbers) => numbers.reduce((text, number) => text.replace("#", number), pattern ?? "");
function lengthInWords(seconds) {
  const whole = Math.max(0, Math.floor(seconds / 60));
  const d = Math.floor(whole / 1440), h = Math.floor(whole / 60) % 24, m = whole % 60;
  if (d > 0) return put(days, d, h);
  if (h > 0) return put(hours, h, String(m).padStart(2, "0"));
  return put(minutes, m);
}
function tick() {
  for (const clock of document.querySelectorAll("[data-due]")) {
    const left = (Date.parse(clock.dataset.due) - Date.now()) / 1000;
    const step = left < 0 ? "late" : left <= 1800 ? "soon" : "ahead";
    const text = put(left < 0 ? lateWord : leftWord, lengthInWords(Math.abs(left)));
    if (clock.textContent !== text) clock.textContent = text;
    for (const other of ["late", "soon", "ahead"]) clock.classList.toggle(`due-${other}`, other === step);
    clock.closest(".case-card")?.classList.toggle("late", step === "late");
  }
}

// Toasts go by themselves; errors stay until they are put away.
function arm(toast) {
  if (toast.dataset.armed) return;
  toast.dataset.armed = "1";
  if (!toast.classList.contains("bad")) setTimeout(() => toast.remove(), 8000);
}

// A refused form marks its fields: in the form that was sent, since a page may have several fields of one name.
function markFields(root) {
  const faults = [...(root.querySelectorAll?.("[data-field-fault]") ?? [])];
  const form = lastForm?.isConnected ? lastForm : document;
  if (form === lastForm) {
    for (const old of form.querySelectorAll(".field.wrong")) { old.classList.remove("wrong"); old.querySelector("em")?.remove(); }
  }
  for (const fault of faults) {
    const field = form.querySelector(`[name="${CSS.escape(fault.dataset.fieldFault)}"]`)?.closest(".field");
    if (!field) continue;
    field.classList.add("wrong");
    field.append(Object.assign(document.createElement("em"), { textContent: fault.textContent }));
  }
}

const drawer = () => document.getElementById("drawer");
let openedDrawer = null;
function closeDrawer() {
  drawer().hidden = true;
  document.getElementById("drawer-body").replaceChildren();
  openedDrawer?.focus?.();
  openedDrawer = null;
}

new MutationObserver((changes) => {
  for (const { addedNodes } of changes) {
    for (const node of addedNodes) {
      if (node.matches?.("[data-toast]")) { arm(node); markFields(node); }
      if (node.nodeType === 1 && node.parentElement?.id === "drawer-body" && drawer().hidden) {
        openedDrawer = document.activeElement;
        drawer().hidden = false;
        drawer().querySelector("h2, a, button, input")?.focus?.();
      }
    }
  }
  tick();
}).observe(document.body, { childList: true, subtree: true });

document.addEventListener("click", (event) => {
  const at = (selector) => event.target.closest?.(selector);
  const opens = at("[data-opens]");
  if (opens) { event.preventDefault(); showKeys(); document.querySelector(opens.dataset.opens)?.showModal?.(); }
  const closes = at("[data-closes]");
  if (closes) closes.closest("dialog")?.close();
  if (at("[data-closes-drawer]")) closeDrawer();
  if (at("[data-dismiss]")) at("[data-toast]")?.remove();
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  const choice = at("[data-theme-choice]");
  if (choice) {
    event.preventDefault();
    const theme = choice.dataset.themeChoice;
    window.dokuei.send("/account/screen", { theme }).then((answer) => {
      if (!answer.ok) return;
      document.documentElement.dataset.theme = theme;
      for (const other of document.querySelectorAll("[data-theme-choice]")) other.setAttribute("aria-pressed", String(other === choice));
    });
  }
});

// Keys: an element with data-key="n" is clicked (or focused, if it is a field) by that key; data-key-word says what it
// does in the list behind "?". A key is not heard while one types.
const typing = (target) => target.matches?.("input, textarea, select, [contenteditable]");
function showKeys() {
  const list = document.querySelector("[data-keys]");
  if (!list) return;
  list.replaceChildren(...[...document.querySelectorAll("[data-key]")].flatMap((element) => {
    const key = document.createElement("dt"), word = document.createElement("dd");
    key.append(Object.assign(document.createElement("kbd"), { textContent: element.dataset.key.toUpperCase() }));
    word.textContent = element.dataset.keyWord ?? element.textContent.trim();
    return [key, word];
  }));
}
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const menu = document.querySelector("details.menu[open]");
  if (event.key === "Escape" && menu) { menu.open = false; menu.querySelector("summary").focus(); return; }
  if (event.key === "Escape" && !drawer().hidden && !document.querySelector("dialog[open]")) return closeDrawer();
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === "?") { showKeys(); return document.getElementById("keys")?.showModal(); }
  const element = document.querySelector(`[data-key="${CSS.escape(event.key.length === 1 ? event.key.toLowerCase() : event.key)}"]`);
  if (!element) return;
  if (event.key === "Enter" && event.target.closest?.("a, button, summary")) return;
  event.preventDefault();
  if (typing(element)) element.focus(); else element.click();
});

for (const toast of document.querySelectorAll("[data-toast]")) arm(toast);
tick();
setInterval(tick, 1000);
