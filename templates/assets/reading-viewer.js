// The viewer of the reading room: series, stacks, window and level, zoom, two views side by side.
// Pixels are never turned or mirrored; at 1:1 one stored pixel is one pixel of the screen.
"use strict";
(() => {
  const room = document.getElementById("room");
  const words = JSON.parse(room.dataset.words);
  const frames = window.dokueiFrames;
  const viewsBox = room.querySelector("[data-views]"), strip = room.querySelector("[data-strip]");
  const presets = room.querySelector("[data-presets]"), seenBox = room.querySelector("[data-seen]");
  const say = (pattern, ...values) => values.reduce((text, value) => text.replace("#", value), pattern);
  let patient = null, studies = [], views = [], active = null;
  const viewed = new Set(), toSend = new Set();

  class View {
    constructor() {
      this.box = document.createElement("div");
      this.box.className = "view";
      this.box.tabIndex = 0;
      this.box.innerHTML = '<canvas></canvas><div class="corner tl"></div><div class="corner tr"></div><div class="corner bl"></div><div class="corner br"></div><span class="edge left"></span><span class="edge right"></span><span class="edge top-edge"></span><span class="edge bottom"></span><p class="message" hidden></p><div class="track"><i></i></div>';
      this.canvas = this.box.querySelector("canvas");
      this.picture = document.createElement("canvas");
      this.shown = {}; this.zoom = 0; this.pan = { x: 0, y: 0 }; this.at = 0; this.series = null; this.ticket = 0;
      new ResizeObserver(() => this.draw()).observe(this.box);
      this.listen();
    }
    part(name) { return this.box.querySelector(name); }
    open(series, at = 0) {
      if (this.series?.id !== series.id) { this.shown = {}; this.zoom = 0; this.pan = { x: 0, y: 0 }; }
      this.series = series;
      this.to(Math.min(at, series.places.length - 1));
      markStrip();
    }
    get place() { return this.series?.places[this.at]; }
    async to(at) {
      if (!this.series?.places.length) return this.tell(words["no-images"]);
      this.at = Math.min(this.series.places.length - 1, Math.max(0, at));
      const ticket = ++this.ticket, place = this.place;
      if (place.frame < 0) return this.tell(say(words["not-shown"], place.instance.class));
      const slow = setTimeout(() => { if (ticket === this.ticket) this.tell(words.loading, true); }, 250);
      try {
        const frame = await frames.get(place.instance.id, place.frame);
        if (ticket !== this.ticket) return;
        this.frame = frame;
        this.tell("");
        this.draw();
        this.ahead();
        saw(place.instance.id);
        if (this === active) fillPresets();
      } catch (error) {
        if (ticket === this.ticket && error.message !== "forgotten") { this.frame = null; this.tell(error.message); saw(place.instance.id, false); }
      } finally { clearTimeout(slow); }
    }
    ahead() {
      const { places } = this.series;
      for (const step of [1, -1, 2, 3, -2, 4, 5, 6]) {
        const place = places[this.at + step];
        if (place && place.frame >= 0) frames.get(place.instance.id, place.frame, true).catch(() => {});
      }
    }
    tell(text, keep = false) {
      const line = this.part(".message");
      line.hidden = !text; line.textContent = text;
      if (text && !keep) { this.frame = null; this.draw(); }
    }
    scale() {
      if (!this.frame) return 1;
      const { cols, rows, spacing } = this.frame.facts;
      this.aspect = spacing ? spacing.row_mm / spacing.column_mm : 1;
      const ratio = window.devicePixelRatio || 1;
      const fit = Math.min((this.box.clientWidth * ratio) / cols, (this.box.clientHeight * ratio) / (rows * this.aspect));
      return this.zoom || fit;
    }
    draw() {
      const ratio = window.devicePixelRatio || 1, { canvas } = this;
      const width = Math.round(this.box.clientWidth * ratio), height = Math.round(this.box.clientHeight * ratio);
      if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
      const context = canvas.getContext("2d");
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.fillStyle = "#000";
      context.fillRect(0, 0, width, height);
      this.label();
      if (!this.frame) return;
      this.voi = frames.paint(this.frame, this.shown, this.picture);
      const scale = this.scale(), w = this.picture.width * scale, h = this.picture.height * scale * (this.one ? 1 : this.aspect);
      const left = Math.round((width - w) / 2 + this.pan.x), top = Math.round((height - h) / 2 + this.pan.y);
      this.origin = { left, top, across: w / this.picture.width, down: h / this.picture.height };
      context.imageSmoothingEnabled = scale !== 1;
      context.imageSmoothingQuality = "high";
      context.drawImage(this.picture, left, top, w, h);
      this.label();
    }
    label() {
      const { series, frame, place } = this, study = series?.study;
      const lines = (name, list) => { this.part(name).replaceChildren(...list.filter(Boolean).map((text) => Object.assign(document.createElement("div"), { textContent: text }))); };
      if (!series || !patient) return;
      this.box.classList.toggle("is-prior", study.prior);
      // Another institution's images carry another institution's number: it is shown as such.
      const who = study.elsewhere ?? patient, house = study.elsewhere ? [words.elsewhere, study.elsewhere.issuer].join(" ").trim() : "";
      lines(".tl", [who.name, `${who.id}  ${who.birth ?? ""} ${who.sex}`.trim(), study.prior ? words.prior : "", house]);
      lines(".tr", [`${study.date} ${study.description}`.trim(), `${say(words.series, series.number ?? "–")} ${series.modality} ${series.description}`.trim(), frame ? [frame.facts.laterality, frame.facts.view].filter(Boolean).join(" ") : ""]);
      const total = series.places.length, multi = place && place.instance.frames > 1;
      lines(".bl", [
        total ? `${say(words.image, this.at + 1, total)}${multi ? ` (${say(words.frame, place.frame + 1, place.instance.frames)})` : ""} ・ ${study.expected ? say(words.expected, study.received, study.expected) : say(words.received, study.received)}` : "",
        this.voi ? `${this.shown.window ? words.manual + " " : ""}C ${Math.round(this.voi.center)}  W ${Math.round(this.voi.width)}` : "",
        frame && frame.facts.frames < frame.facts.frames_stated ? say(words.truncated, frame.facts.frames, frame.facts.frames_stated) : "",
        frame?.facts.overlays.length ? say(words.overlay, frame.facts.overlays.join(", ")) : "",
      ]);
      this.readout();
      const edges = frame?.facts.edges;
      for (const [name, side] of [[".left", "left"], [".right", "right"], [".top-edge", "top"], [".bottom", "bottom"]]) this.part(name).textContent = edges?.[side] ?? "";
      const bar = this.part(".track i");
      bar.style.setProperty("top", `${total > 1 ? (this.at / (total - 1)) * 100 : 0}%`);
      this.part(".track").hidden = total < 2;
    }
    readout() {
      const lines = [];
      if (this.frame) {
        if (this.cursor && this.origin) {
          const x = Math.floor((this.cursor.x - this.origin.left) / this.origin.across), y = Math.floor((this.cursor.y - this.origin.top) / this.origin.down);
          const value = frames.valueAt(this.frame, x, y);
          if (value !== null) lines.push(`${Math.round(value * 10) / 10} ${this.frame.facts.unit ?? ""}`);
        }
        lines.push(`${Math.round(this.scale() * 100)} %`);
      }
      this.part(".br").replaceChildren(...lines.map((text) => Object.assign(document.createElement("div"), { textContent: text })));
    }
    listen() {
      const ratio = () => window.devicePixelRatio || 1;
      let drag = null, rest = 0;
      this.box.addEventListener("wheel", (event) => {
        event.preventDefault();
        activate(this);
        if (event.ctrlKey) return this.zoomBy(event.deltaY < 0 ? 1.15 : 1 / 1.15);
        rest += event.deltaMode === 1 ? event.deltaY * 40 : event.deltaY;
        const steps = Math.trunc(rest / 40);
        if (steps) { rest -= steps * 40; this.to(this.at + steps); }
      }, { passive: false });
      this.box.addEventListener("pointerdown", (event) => {
        activate(this);
        this.box.focus({ preventScroll: true });
        const chosen = room.querySelector('[name="tool"]:checked').value;
        const tool = event.button === 2 || event.shiftKey ? "pan" : event.button === 1 ? "zoom" : chosen;
        drag = { tool, x: event.clientX, y: event.clientY, voi: this.voi && { ...this.voi }, pan: { ...this.pan }, zoom: this.scale() };
        this.box.setPointerCapture(event.pointerId);
      });
      this.box.addEventListener("pointermove", (event) => {
        const frame = this.box.getBoundingClientRect();
        this.cursor = { x: (event.clientX - frame.left) * ratio(), y: (event.clientY - frame.top) * ratio() };
        if (!drag) return this.readout();
        const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
        if (drag.tool === "pan") this.pan = { x: drag.pan.x + dx * ratio(), y: drag.pan.y + dy * ratio() };
        else if (drag.tool === "zoom") { this.one = false; this.zoom = Math.min(32, Math.max(0.05, drag.zoom * Math.exp(-dy / 200))); }
        else if (drag.voi) {
          const grain = Math.max(drag.voi.width, 1) / 300;
          this.shown.window = { center: drag.voi.center + dy * grain, width: Math.max(1, drag.voi.width + dx * grain * 1.5) };
        }
        this.draw();
      });
      for (const end of ["pointerup", "pointercancel"]) this.box.addEventListener(end, () => { if (drag?.tool === "window") fillPresets(); drag = null; });
      this.box.addEventListener("pointerleave", () => { this.cursor = null; this.readout(); });
      this.box.addEventListener("contextmenu", (event) => event.preventDefault());
      this.box.addEventListener("dblclick", () => { if (this.one) this.act("fit"); else this.act("one"); });
      this.box.addEventListener("keydown", (event) => {
        if (event.key === "PageDown" || event.key === "PageUp") { event.preventDefault(); this.to(this.at + (event.key === "PageDown" ? 5 : -5)); }
        if (event.key === "Home" || event.key === "End") { event.preventDefault(); this.to(event.key === "Home" ? 0 : Infinity); }
      });
    }
    zoomBy(factor) { this.one = false; this.zoom = Math.min(32, Math.max(0.05, this.scale() * factor)); this.draw(); }
    act(name) {
      if (name === "invert") this.shown.invert = !this.shown.invert;
      if (name === "fit") { this.zoom = 0; this.one = false; this.pan = { x: 0, y: 0 }; }
      if (name === "one") { this.zoom = 1; this.one = true; this.pan = { x: 0, y: 0 }; }
      if (name === "next" || name === "previous") return this.to(this.at + (name === "next" ? 1 : -1));
      if (name === "next-series" || name === "previous-series") return this.bySeries(name === "next-series" ? 1 : -1);
      this.draw();
    }
    bySeries(step) {
      const list = this.series?.study.series ?? [];
      const next = list[list.indexOf(this.series) + step];
      if (next) { frames.forget(); this.open(next); }
    }
  }

  function activate(view) {
    if (active === view) return;
    active = view;
    for (const one of views) one.box.classList.toggle("active", one === view && views.length > 1);
    fillPresets(); markStrip();
  }
  function fillPresets() {
    const list = active?.frame?.facts.presets ?? [];
    const name = (preset, at) => {
      const kind = preset.explanation ?? (preset.source === "table" ? words.table : preset.source === "computed" ? words.computed : say(words.preset, at + 1));
      return `${kind} (${Math.round(preset.center)} / ${Math.round(preset.width)})`;
    };
    const options = list.map((preset, at) => new Option(name(preset, at), `p${at}`));
    const unit = active?.frame?.facts.unit;
    if (unit === "HU") for (const [label, center, width] of [["肺 Lung", -600, 1500], ["縦隔 Soft tissue", 40, 400], ["骨 Bone", 400, 2000], ["脳 Brain", 40, 80], ["腹部 Abdomen", 60, 350]]) options.push(new Option(`${label} (${center} / ${width})`, `${center}|${width}`));
    const manual = active?.shown.window && !active.shown.chosen;
    if (manual) options.push(new Option(words.manual, "manual"));
    presets.replaceChildren(...options);
    presets.disabled = options.length === 0;
    presets.value = active?.shown.window ? active.shown.chosen ?? "manual" : `p${active?.shown.preset ?? 0}`;
  }
  presets.addEventListener("change", () => {
    if (!active) return;
    if (presets.value === "manual") return;
    if (presets.value.startsWith("p")) { active.shown = { invert: active.shown.invert, preset: Number(presets.value.slice(1)) }; }
    else {
      const [center, width] = presets.value.split("|").map(Number);
      active.shown = { invert: active.shown.invert, window: { center, width }, chosen: presets.value };
    }
    active.draw(); presets.blur();
  });

  function layout(count) {
    while (views.length < count) views.push(new View());
    views.length = count;
    viewsBox.replaceChildren(...views.map((view) => view.box));
    viewsBox.dataset.count = String(count);
    if (!views.includes(active)) active = null;
    activate(active ?? views[0]);
  }
  function markStrip() {
    for (const button of strip.querySelectorAll("[data-series]")) {
      button.setAttribute("aria-pressed", String(views.some((view) => String(view.series?.id) === button.dataset.series)));
      const series = studies.flatMap((study) => study.series).find((one) => String(one.id) === button.dataset.series);
      const all = series.instances.length, done = series.instances.filter((one) => viewed.has(one.id)).length;
      button.querySelector("small").textContent = series.study.prior ? String(all) : `${done} / ${all}`;
      button.classList.toggle("done", !series.study.prior && done === all);
    }
    const current = studies.filter((study) => !study.prior).flatMap((study) => study.series).flatMap((series) => series.instances);
    seenBox.textContent = `${current.filter((one) => viewed.has(one.id)).length} / ${current.length}`;
    for (const chip of document.querySelectorAll("[data-study]")) chip.setAttribute("aria-pressed", String(views.some((view) => String(view.series?.study.id) === chip.dataset.study)));
  }
  function fillStrip() {
    strip.replaceChildren(...studies.flatMap((study) => study.series.map((series) => {
      const button = document.createElement("button");
      button.type = "button"; button.className = `series${study.prior ? " is-prior" : ""}`; button.dataset.series = series.id;
      const picture = series.places.find((place) => place.frame >= 0);
      const middle = series.places.filter((place) => place.frame >= 0)[Math.floor(series.places.length / 2)] ?? picture;
      if (middle) {
        const image = new Image();
        image.loading = "lazy"; image.alt = ""; image.width = 72; image.height = 72;
        image.src = `/reads/${room.dataset.read}/images/${middle.instance.id}/frames/${middle.frame}/png?max=72`;
        button.append(image);
      }
      button.append(Object.assign(document.createElement("span"), { textContent: `${series.number ?? ""} ${series.modality} ${series.description}`.trim() }), document.createElement("small"));
      button.title = `${study.date} ${study.description} — ${series.description}`;
      button.addEventListener("click", () => { frames.forget(); active.open(series); active.box.focus({ preventScroll: true }); });
      return button;
    })));
    markStrip();
  }

  // What was opened goes to the server a few at a time, for the reader's own read only.
  function saw(id, shown = true) {
    if (viewed.has(id)) return;
    viewed.add(id); if (shown) toSend.add(id);
    markStrip();
  }
  async function flush(keepalive = false) {
    if (!toSend.size || room.dataset.editable !== "true") return;
    const seen = [...toSend];
    toSend.clear();
    const answer = await window.dokuei.send(`/reads/${room.dataset.read}/views`, { seen: seen.join(",") }, { keepalive }).catch(() => null);
    if (!answer?.ok && answer?.status !== 409) for (const id of seen) toSend.add(id);
  }
  setInterval(flush, 3000);
  addEventListener("pagehide", () => flush(true));
  window.dokueiViewer = { flush, reload: load };

  async function load() {
    const answer = await fetch(`/reads/${room.dataset.read}/images`, { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (!answer.ok) { layout(1); return views[0].tell((await answer.json().catch(() => ({}))).detail ?? String(answer.status)); }
    const listing = await answer.json();
    patient = listing.patient;
    for (const id of listing.viewed) viewed.add(id);
    studies = listing.studies;
    for (const study of studies) for (const series of study.series) {
      series.study = study;
      series.places = series.instances.flatMap((instance) => instance.frames > 0 ? Array.from({ length: instance.frames }, (_, frame) => ({ instance, frame })) : [{ instance, frame: -1 }]);
    }
    const all = studies.flatMap((study) => study.series);
    if (!views.length) layout(1);
    for (const view of views) {
      const again = all.find((series) => series.id === view.series?.id);
      if (again) view.open(again, view.at);
    }
    fillStrip();
    if (!views[0].series) {
      const first = all.find((series) => !series.study.prior && series.places.some((place) => place.frame >= 0)) ?? all[0];
      if (first) views[0].open(first); else views[0].tell(words["no-images"]);
    }
  }
  function split() {
    if (views.length === 2) return layout(1);
    layout(2);
    const here = views[0].series;
    const other = studies.filter((study) => study.prior).flatMap((study) => study.series).find((series) => series.modality === here?.modality) ?? here?.study.series.find((series) => series !== here) ?? here;
    if (other && !views[1].series) views[1].open(other);
    for (const view of views) view.draw();
  }
  document.addEventListener("click", (event) => {
    const act = event.target.closest?.("[data-act]")?.dataset.act;
    if (act === "split") split();
    else if (act && active) active.act(act);
    const chip = event.target.closest?.("[data-study]");
    const study = chip && studies.find((one) => String(one.id) === chip.dataset.study);
    const series = study?.series.find((one) => one.places.some((place) => place.frame >= 0)) ?? study?.series[0];
    if (series) {
      // A prior is laid beside what is read, never in its place.
      if (study.prior) { if (views.length < 2) layout(2); views[1].open(series); for (const view of views) view.draw(); }
      else views[0].open(series);
    }
  });
  load();
})();
