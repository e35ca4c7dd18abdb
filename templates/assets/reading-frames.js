// Frames of the reading room: fetching, keeping, and turning samples into grey exactly as the server does.
// A frame comes as: 4 bytes length, JSON, 16-bit samples. See server/src/app/images.rs and dicom-gateway's RawFrame.
"use strict";
window.dokueiFrames = (() => {
  const MOST_BYTES = 384 << 20;   // what the browser may keep of one case
  const AT_ONCE = 4;
  const kept = new Map();         // "instance/frame" -> { promise, bytes }
  let bytes = 0, running = 0;
  const waiting = [];
  const base = () => `/reads/${document.getElementById("room").dataset.read}/images`;

  async function fetchFrame(instance, frame) {
    const answer = await fetch(`${base()}/${instance}/frames/${frame}/raw`, { credentials: "same-origin", headers: { Accept: "application/octet-stream" } });
    if (!answer.ok) {
      const problem = await answer.json().catch(() => ({}));
      throw Object.assign(new Error(problem.detail ?? String(answer.status)), { code: problem.code });
    }
    const buffer = await answer.arrayBuffer();
    const length = new DataView(buffer).getUint32(0, true);
    const facts = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
    if (facts.grey) return { facts, samples: new Uint16Array(buffer, 4 + length), bytes: buffer.byteLength };
    const picture = await fetch(`${base()}/${instance}/frames/${frame}/png`, { credentials: "same-origin" });
    if (!picture.ok) throw new Error(String(picture.status));
    const bitmap = await createImageBitmap(await picture.blob());
    return { facts, bitmap, bytes: bitmap.width * bitmap.height * 4 };
  }

  function pump() {
    while (running < AT_ONCE && waiting.length) {
      const job = waiting.shift();
      running++;
      fetchFrame(job.instance, job.frame).then(job.resolve, job.reject).finally(() => { running--; pump(); });
    }
  }

  // get(instance, frame, ahead): the frame; what is fetched ahead waits behind what is wanted now.
  function get(instance, frame, ahead = false) {
    const key = `${instance}/${frame}`;
    const there = kept.get(key);
    if (there) {
      kept.delete(key); kept.set(key, there);
      if (!ahead) {
        const at = waiting.findIndex((job) => job.key === key);
        if (at > 0) waiting.unshift(...waiting.splice(at, 1));
      }
      return there.promise;
    }
    const entry = { bytes: 0 };
    entry.promise = new Promise((resolve, reject) => {
      const job = { key, instance, frame, resolve, reject };
      if (ahead) waiting.push(job); else waiting.unshift(job);
    });
    kept.set(key, entry);
    entry.promise.then((made) => {
      entry.bytes = made.bytes; bytes += made.bytes;
      for (const [old, one] of kept) {
        if (bytes <= MOST_BYTES) break;
        if (one === entry || !one.bytes) continue;
        bytes -= one.bytes; kept.delete(old);
      }
    }, (error) => { if (!error.code?.startsWith("image_") || error.code === "image_altered") kept.delete(key); });
    pump();
    return entry.promise;
  }
  // What was asked for ahead and is wanted no more.
  function forget() {
    for (const job of waiting.splice(0)) { kept.delete(job.key); job.reject(new Error("forgotten")); }
  }

  // One 32-bit pixel for each of the 65,536 raw words: modality value, window or table, inversion, padding
  // (PS3.3 C.11.2; the same formulas as dicom-gateway/src/render/voi.rs).
  const tables = new Map();
  function lut(facts, voi, invert) {
    const key = JSON.stringify([facts.signed, facts.slope, facts.intercept, facts.padding, facts.inverted !== invert, voi.table ?? [voi.center, voi.width, voi.function]]);
    const there = tables.get(key);
    if (there) return there;
    const made = new Uint32Array(65536);
    const { slope, intercept, signed, padding } = facts;
    const inverted = Boolean(facts.inverted) !== invert;
    const { center, width } = voi;
    for (let raw = 0; raw < 65536; raw++) {
      const stored = signed ? (raw << 16) >> 16 : raw;
      let level = 0;
      if (!padding || stored < padding[0] || stored > padding[1]) {
        const x = stored * slope + intercept;
        let part;
        if (voi.table) {
          const { first, full, entries } = voi.table;
          part = entries[Math.min(entries.length - 1, Math.max(0, Math.round(x) - first))] / full;
        } else if (voi.function === "SIGMOID") part = 1 / (1 + Math.exp((-4 * (x - center)) / width));
        else if (voi.function === "LINEAR" && width > 1) part = (x - (center - 0.5)) / (width - 1) + 0.5;
        else if (voi.function === "LINEAR" && width === 1) part = x > center - 0.5 ? 1 : 0;
        else part = (x - center) / width + 0.5;
        level = Math.round(Math.min(1, Math.max(0, part)) * 255);
        if (inverted) level = 255 - level;
      }
      made[raw] = (0xff000000 | (level << 16) | (level << 8) | level) >>> 0;
    }
    if (tables.size > 12) tables.delete(tables.keys().next().value);
    tables.set(key, made);
    return made;
  }

  // The way a frame is to be shown: the viewer's own window, else one of the object's presets.
  function voiOf(facts, shown) {
    if (shown.window) return { ...shown.window, function: facts.function };
    const at = Math.min(shown.preset ?? 0, facts.presets.length - 1), preset = facts.presets[at];
    if (preset.source === "table") {
      const nth = facts.presets.slice(0, at).filter((one) => one.source === "table").length;
      return { center: preset.center, width: preset.width, table: facts.tables[nth] };
    }
    return { center: preset.center, width: preset.width, function: preset.function };
  }

  // Draws a frame at its own size into a canvas (one pixel a stored pixel).
  function paint(frame, shown, canvas) {
    const { facts } = frame;
    if (canvas.width !== facts.cols || canvas.height !== facts.rows) { canvas.width = facts.cols; canvas.height = facts.rows; }
    const context = canvas.getContext("2d");
    if (frame.bitmap) {
      context.filter = shown.invert ? "invert(1)" : "none";
      context.drawImage(frame.bitmap, 0, 0);
      return null;
    }
    const voi = voiOf(facts, shown);
    const table = lut(facts, voi, Boolean(shown.invert));
    const image = context.createImageData(facts.cols, facts.rows);
    const pixels = new Uint32Array(image.data.buffer), { samples } = frame;
    for (let at = 0; at < pixels.length; at++) pixels[at] = table[samples[at]];
    context.putImageData(image, 0, 0);
    return voi;
  }

  // The modality value under a pixel, e.g. HU.
  function valueAt(frame, x, y) {
    const { facts, samples } = frame;
    if (!samples || x < 0 || y < 0 || x >= facts.cols || y >= facts.rows) return null;
    const raw = samples[y * facts.cols + x];
    return (facts.signed ? (raw << 16) >> 16 : raw) * facts.slope + facts.intercept;
  }

  return { get, forget, paint, valueAt, voiOf, lut };
})();
