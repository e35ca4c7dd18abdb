// The report's editor: autosave that never overwrites another window, signs of life, signing, leaving.
"use strict";
(() => {
  const room = document.getElementById("room");
  const words = JSON.parse(room.dataset.words);
  const editor = room.querySelector("[data-editor]");
  const notices = room.querySelector("[data-notices]");
  const { send, toast } = window.dokuei;
  const url = (tail) => `/reads/${room.dataset.read}/${tail}`;
  let received = null;

  function notice(id, text, tone) {
    let line = notices.querySelector(`[data-notice="${id}"]`);
    if (!text) return line?.remove();
    if (!line) { line = document.createElement("p"); line.dataset.notice = id; notices.append(line); }
    line.className = `note ${tone}`; line.textContent = text;
  }

  // The read's standing, after each signal: taken, held, released, more images.
  async function look() {
    const answer = await fetch(url("state"), { credentials: "same-origin", headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer) return;
    if (answer.status === 404) return lost(words.taken);
    if (!answer.ok) return;
    const now = await answer.json();
    if (received !== null && now.received > received) { notice("late", words.late.replace("#", now.received - received), "warning"); window.dokueiViewer?.reload(); }
    received = now.received;
    for (const banner of now.banners ?? []) notice(banner.id, banner.text, banner.tone);
    if (editor && !now.editable && room.dataset.editable === "true") lost(now.held ? words.held : words.taken);
    if (!editor && now.editable && "own" in room.dataset) notice("released", words.released, "good");
  }
  function lost(text) {
    room.dataset.editable = "false";
    notice("lost", text, "bad");
    for (const field of editor?.querySelectorAll("textarea, button") ?? []) { if (field.matches("textarea")) field.readOnly = true; else field.disabled = true; }
  }
  for (const fold of room.querySelectorAll("details.fold")) fold.addEventListener("toggle", () => { if (fold.open) fold.scrollIntoView({ block: "nearest" }); });
  room.addEventListener("live", look);
  look();

  for (const button of document.querySelectorAll("[data-say]")) button.addEventListener("click", () => {
    const field = button.closest("form").querySelector("textarea");
    field.value = button.dataset.say; field.focus();
  });
  if (!editor) return;

  const findings = editor.querySelector('[name="findings"]'), impression = editor.querySelector('[name="impression"]');
  const state = editor.querySelector("[data-save-state]"), dialog = document.getElementById("differs");
  let revision = Number(editor.dataset.revision), last = [findings.value, impression.value], tried = null, timer = 0;
  let chain = Promise.resolve(true);
  const dirty = () => findings.value !== last[0] || impression.value !== last[1];
  const show = (text, bad = false) => { state.textContent = text; state.classList.toggle("bad", bad); };

  // Saves what is there, one save after another; resolves to whether the server has it.
  function save(keepalive = false) {
    clearTimeout(timer);
    chain = chain.then(() => store(keepalive), () => store(keepalive));
    return chain;
  }
  async function store(keepalive) {
    if (!dirty()) return true;
    if (room.dataset.editable !== "true" || dialog.open) return false;
    const text = [findings.value, impression.value];
    show(words.saving);
    const answer = await send(url("draft"), { revision, findings: text[0], impression: text[1] }, { keepalive }).catch(() => null);
    if (!answer) { tried = text; show(words["save-failed"], true); timer = setTimeout(save, 5000); return false; }
    const body = await answer.json().catch(() => ({}));
    if (answer.ok) { revision = body.revision; last = text; tried = null; show(body.saved); return !dirty(); }
    if (answer.status === 409 && "revision" in body) {
      // The answer to an earlier save of ours was lost on the way: what is there is our own.
      if (tried && body.findings === tried[0] && body.impression === tried[1]) { revision = body.revision; last = tried; tried = null; return store(keepalive); }
      differs(body);
      return false;
    }
    show(body.detail ?? words["save-failed"], true);
    if (answer.status === 409) look(); else timer = setTimeout(save, 8000);
    return false;
  }
  function changed() {
    show(words.unsaved);
    clearTimeout(timer);
    timer = setTimeout(save, 1200);
  }
  for (const field of [findings, impression]) {
    field.addEventListener("input", changed);
    field.addEventListener("blur", () => save());
    field.addEventListener("keydown", (event) => { if (event.key === "Escape") field.blur(); });
  }
  addEventListener("pagehide", () => { if (dirty()) save(true); });
  addEventListener("beforeunload", (event) => { if (dirty() && room.dataset.editable === "true") event.preventDefault(); });

  // Two windows on one read: both texts are shown, and a person chooses.
  let there = null;
  function differs(body) {
    there = body;
    const both = (a, b) => `${a}\n――――\n${b}`;
    dialog.querySelector("[data-mine]").textContent = both(findings.value, impression.value);
    dialog.querySelector("[data-there]").textContent = both(body.findings, body.impression);
    show(words.unsaved, true);
    if (!dialog.open) dialog.showModal();
  }
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  for (const button of dialog.querySelectorAll("[data-keep]")) button.addEventListener("click", () => {
    revision = there.revision;
    last = [there.findings, there.impression];
    if (button.dataset.keep === "there") { findings.value = there.findings; impression.value = there.impression; show(there.saved); }
    dialog.close();
    save();
  });

  for (const button of editor.querySelectorAll("[data-phrase]")) button.addEventListener("click", () => {
    const field = document.activeElement === impression ? impression : caret;
    field.setRangeText(button.dataset.phrase, field.selectionStart, field.selectionEnd, "end");
    button.closest("details").open = false;
    field.focus(); changed();
  });
  let caret = findings;
  for (const field of [findings, impression]) field.addEventListener("focus", () => { caret = field; });

  setInterval(async () => {
    if (room.dataset.editable !== "true") return;
    const answer = await send(url("heartbeat"), {}).catch(() => null);
    if (answer?.ok && !(await answer.json()).mine) look();
  }, 30000);

  // Leaving (ask, give back, decline): the draft goes first.
  for (const form of document.querySelectorAll("[data-leave]")) form.addEventListener("submit", async (event) => {
    if (!dirty()) return;
    event.preventDefault();
    if (await save()) form.submit();
  });

  // Signing: the sheet shows patient, study and what was not opened; Enter on the name signs.
  const sheet = document.getElementById("sign");
  async function openSheet() {
    if (sheet.open || !(await save())) return;
    await window.dokueiViewer?.flush();
    const answer = await fetch(url("sign"), { credentials: "same-origin", headers: { Accept: "text/html", "HX-Request": "true" } });
    if (!answer.ok) return toast({ tone: "bad", text: (await answer.text()).replace(/<[^>]*>/g, " ").trim() });
    sheet.innerHTML = await answer.text();
    sheet.showModal();
    const form = sheet.querySelector("form"), fault = sheet.querySelector("[data-fault]"), name = sheet.querySelector("[data-name]");
    const first = sheet.querySelector("[data-first], fieldset input") ?? name;
    first.focus();
    // Enter in the password leads to the name: signing is an act of its own.
    sheet.querySelector("[data-first]")?.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); name.focus(); } });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (name.disabled) return;
      name.disabled = true; fault.hidden = true;
      const done = await send(form.action, new URLSearchParams(new FormData(form))).catch(() => null);
      const body = await done?.json().catch(() => ({}));
      if (done?.ok) { last = [findings.value, impression.value]; room.dataset.editable = "false"; location.assign(body.next); return; }
      name.disabled = false;
      fault.hidden = false; fault.textContent = body?.detail ?? words["save-failed"];
      (sheet.querySelector("[data-first]") ?? name).focus();
    });
  }
  room.querySelector("[data-sign]")?.addEventListener("click", openSheet);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing && !document.querySelector("dialog[open]")) { event.preventDefault(); openSheet(); }
  });
})();
