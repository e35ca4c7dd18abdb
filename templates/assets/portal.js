// The referring site's portal: sending files with progress, the form that fills itself, the live list.
// Nothing is decided here: each file and each form is checked by the server, which says in words what it did not take.
"use strict";
{
const find = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const token = find('meta[name="csrf-token"]').content;

// ---- what one looks for stays in the browser: names never go into an address
let wanted = "";
function filter() {
  const parts = wanted.toLowerCase().normalize("NFKC").split(/\s+/).filter(Boolean);
  let shown = 0, lines = all("[data-line]");
  for (const line of lines) {
    const text = line.textContent.toLowerCase().normalize("NFKC").replace(/\s+/g, " ");
    line.hidden = !parts.every((part) => text.includes(part));
    shown += line.hidden ? 0 : 1;
  }
  for (const none of all(".empty-filter")) none.hidden = shown > 0 || lines.length === 0;
}
document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-filter]")) return;
  wanted = event.target.value;
  filter();
});

// ---- the list, live
const lines = find("[data-lines]");
async function fetchLines(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" }, credentials: "same-origin" });
  if (!answer.ok) return;
  const typing = document.activeElement?.matches?.("[data-filter]");
  const focused = lines.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  lines.innerHTML = await answer.text();
  const field = find("[data-filter]", lines);
  if (field) field.value = wanted;
  if (typing) field?.focus();
  else if (focused) find(`[href="${CSS.escape(focused)}"]`, lines)?.focus({ preventScroll: true });
  filter();
}
if (lines) {
  let waiting = null;
  const address = () => find("[data-list-address]", lines).dataset.listAddress;
  lines.addEventListener("live", () => { waiting ??= setTimeout(() => { waiting = null; fetchLines(address()); }, 700); });
  lines.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (!tab) return;
    event.preventDefault();
    fetchLines(tab.getAttribute("href").replace("/portal?", "/portal/list?"));
  });
}

// ---- the form
const holder = find("#form-holder"), card = find("#form");
const typed = () => all("input:not([type=hidden]), textarea, select", holder).some((field) => field.dataset.touched);
function dress() {
  const form = find("[data-request-form]");
  if (!form) return;
  const stat = () => {
    const is = find("[name=priority]:checked", form)?.value === "stat";
    find("[data-for-stat]", form).hidden = !is;
    find("[name=phone]", form).required = is;
  };
  const doctor = () => { find("[data-doctor-name]", form).hidden = find("[data-doctor]", form).value !== ""; };
  form.addEventListener("change", () => { stat(); doctor(); });
  form.addEventListener("input", (event) => { event.target.dataset.touched = "1"; event.target.closest(".field")?.classList.remove("wrong"); });
  form.addEventListener("submit", send);
  stat();
  doctor();
}
async function fill(study) {
  const site = find("#drop")?.dataset.site;
  const answer = await fetch(`/portal/form?${study ? `study=${study}` : `site=${site}`}`, { headers: { Accept: "text/html" }, credentials: "same-origin" });
  if (!answer.ok) return;
  holder.innerHTML = await answer.text();
  card.open = true;
  dress();
  card.scrollIntoView({ behavior: "smooth", block: "nearest" });
  all("input:not([type=hidden], [type=file], [type=radio]), textarea, select", holder).find((field) => !field.value && field.closest(".field")?.querySelector("b") && !field.closest("[hidden]"))?.focus({ preventScroll: true });
}
async function send(event) {
  event.preventDefault();
  const form = event.target, button = find("[data-send]", form);
  button.disabled = true;
  try {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), credentials: "same-origin", headers: { "X-CSRF-Token": token, "X-Quiet": "1", Accept: "text/html" } });
    if (answer.status === 201) {
      const said = await answer.json();
      window.dokuei.toast({ tone: said.good ? "good" : "bad", text: said.sentence });
      await fill("");
      card.open = false;
      fetchLines(find("[data-list-address]").dataset.listAddress);
    } else if (answer.status === 422) {
      holder.innerHTML = await answer.text();
      dress();
      find(".wrong input, .wrong textarea, .wrong select, .fault", holder)?.focus();
      find(".fault", holder)?.scrollIntoView({ block: "center" });
    } else {
      window.dokuei.toast({ tone: "bad", text: find("[data-word-broken]").dataset.wordBroken });
    }
  } catch {
    window.dokuei.toast({ tone: "bad", text: find("[data-word-broken]").dataset.wordBroken });
  } finally {
    button.disabled = false;
  }
}
document.addEventListener("click", (event) => {
  const filling = event.target.closest("[data-fill]");
  if (filling && holder) { event.preventDefault(); fill(filling.dataset.fill); }
  if (event.target.closest("[data-open-form]")) { card.open = true; find("input:not([type=hidden])", card)?.focus(); }
});
if (holder) dress();

// ---- sending files
const drop = find("#drop");
if (drop) {
  const box = find("#upload"), bar = find("progress", box), words = find("[data-upload-words]", box), list = find(".upload-files", box);
  const MANY = 3; // files under way at once
  let running = null;
  // Whose images the next ones are: a running upload keeps what it began with.
  const whose = () => find("[name=whose]:checked").value;
  find("[data-whose]").addEventListener("change", () => { find("[data-whose-hint]").hidden = whose() !== "elsewhere"; });

  const reported = (run, line) => {
    run.counts[line.fate] = (run.counts[line.fate] ?? 0) + 1;
    const count = find(`[data-fate="${line.fate}"]`, box);
    count.hidden = false;
    find("dd", count).textContent = run.counts[line.fate];
    if (line.study && !run.studies.has(line.study)) run.studies.add(line.study);
    if (line.reason && line.fate !== "repeated") {
      const item = document.createElement("li"), name = document.createElement("code");
      name.textContent = line.name;
      item.append(name, line.reason);
      list.append(item);
      find("[data-upload-details]", box).hidden = false;
      if (line.fate === "refused" || line.fate === "failed") find("[data-upload-details]", box).open = true;
    }
  };
  const show = (run) => {
    const under = [...run.under.values()].reduce((sum, bytes) => sum + bytes, 0);
    bar.max = Math.max(run.bytes, 1);
    bar.value = Math.min(run.sent + under, bar.max);
    words.textContent = drop.dataset.wordBegun.replace("#", run.done).replace("#", run.files.length);
  };
  const one = (run, file) => new Promise((resolve) => {
    const call = new XMLHttpRequest();
    let read = 0;
    const lines = () => {
      const text = call.responseText, end = text.lastIndexOf("\n");
      for (const line of text.slice(read, end + 1).split("\n").filter(Boolean)) reported(run, JSON.parse(line));
      read = Math.max(read, end + 1);
    };
    const finish = (broken) => {
      run.calls.delete(call);
      run.under.delete(call);
      run.sent += file.blob.size;
      run.done += 1;
      if (broken && !run.stopped) reported(run, { name: file.name, fate: "failed", reason: broken });
      show(run);
      resolve();
    };
    call.open("POST", `/portal/uploads/${run.id}/files`);
    call.setRequestHeader("X-CSRF-Token", token);
    call.setRequestHeader("X-File-Name", encodeURIComponent(file.name));
    call.setRequestHeader("Content-Type", "application/octet-stream");
    call.setRequestHeader("Accept", "application/json");
    call.upload.addEventListener("progress", (event) => { run.under.set(call, event.loaded); show(run); });
    call.addEventListener("progress", () => { if (call.status === 200) lines(); });
    call.addEventListener("load", () => {
      if (call.status === 200) { lines(); return finish(); }
      let detail = drop.dataset.wordBroken;
      try { detail = JSON.parse(call.responseText).detail ?? detail; } catch { /* not JSON: the general sentence */ }
      finish(detail);
    });
    call.addEventListener("error", () => finish(drop.dataset.wordBroken));
    call.addEventListener("abort", () => finish());
    run.calls.add(call);
    call.send(file.blob);
  });

  async function start(files) {
    if (running) return;
    if (files.length === 0) return window.dokuei.toast({ text: drop.dataset.wordNone });
    const begun = await window.dokuei.send("/portal/uploads", { site: drop.dataset.site, whose: whose() });
    if (!begun.ok) return window.dokuei.toast({ tone: "bad", text: (await begun.json()).detail ?? drop.dataset.wordBroken });
    const run = { id: (await begun.json()).id, whose: whose(), files, done: 0, sent: 0, bytes: files.reduce((sum, file) => sum + file.blob.size, 0), under: new Map(), calls: new Set(), counts: {}, studies: new Set(), stopped: false };
    running = run;
    box.hidden = false;
    list.replaceChildren();
    find("[data-upload-details]", box).hidden = true;
    find("[data-upload-missing]", box).hidden = true;
    find("[data-upload-studies]", box).hidden = true;
    find("[data-upload-elsewhere]", box).hidden = true;
    for (const count of all("[data-fate]", box)) count.hidden = true;
    find("[data-upload-stop]", box).hidden = false;
    show(run);
    const queue = [...files];
    await Promise.all(Array.from({ length: MANY }, async () => { while (queue.length && !run.stopped) await one(run, queue.shift()); }));
    const ended = await window.dokuei.send(`/portal/uploads/${run.id}/end`).catch(() => null);
    const missing = ended?.ok ? (await ended.json()).missing : [], lost = find("[data-upload-missing]", box);
    find("ul", lost).replaceChildren(...missing.map((sentence) => { const item = document.createElement("li"); item.textContent = sentence; return item; }));
    lost.hidden = missing.length === 0;
    running = null;
    find("[data-upload-stop]", box).hidden = true;
    words.textContent = (run.stopped ? drop.dataset.wordStopped : drop.dataset.wordDone).replace("#", run.done).replace("#", run.files.length);
    const studies = [...run.studies], place = find("[data-upload-studies]", box);
    for (const old of all("button", place)) old.remove();
    for (const study of studies.slice(0, 20)) {
      const button = find("[data-study-button]", box).content.firstElementChild.cloneNode(true);
      button.dataset.fill = study;
      place.append(button);
    }
    const elsewhere = run.whose === "elsewhere";
    place.hidden = elsewhere || studies.length === 0;
    find("[data-upload-elsewhere]", box).hidden = !elsewhere || studies.length === 0;
    if (!elsewhere && studies.length === 1 && !typed()) fill(studies[0]);
  }

  const fromList = (files) => [...files].map((file) => ({ name: file.webkitRelativePath || file.name, blob: file }));
  async function fromDrop(items) {
    const found = [];
    const walk = async (entry) => {
      if (entry.isFile) return found.push({ name: entry.fullPath.replace(/^\//, ""), blob: await new Promise((done, failed) => entry.file(done, failed)) });
      const reader = entry.createReader();
      for (;;) {
        const some = await new Promise((done, failed) => reader.readEntries(done, failed));
        if (some.length === 0) return;
        for (const inner of some) await walk(inner);
      }
    };
    // Entries must be taken before the first wait: the browser empties the list then.
    const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    for (const entry of entries) await walk(entry);
    return found;
  }

  const choose = (which) => find(`[data-input="${which}"]`).click();
  drop.addEventListener("click", () => choose("files"));
  drop.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose("files"); } });
  for (const button of all("[data-choose]")) button.addEventListener("click", () => choose(button.dataset.choose));
  for (const input of all("[data-input]")) input.addEventListener("change", () => { start(fromList(input.files)); input.value = ""; });
  for (const type of ["dragenter", "dragover"]) drop.addEventListener(type, (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", async (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    start(await fromDrop(event.dataTransfer.items));
  });
  // A file dropped beside the zone must not replace the page.
  for (const type of ["dragover", "drop"]) addEventListener(type, (event) => event.preventDefault());
  find("[data-upload-stop]", box).addEventListener("click", () => { if (running) { running.stopped = true; for (const call of running.calls) call.abort(); } });
  addEventListener("beforeunload", (event) => { if (running) { event.preventDefault(); event.returnValue = drop.dataset.wordLeave; } });
}
filter();
}
