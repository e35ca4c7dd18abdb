// Live pages. An element with data-live="/somewhere/events" listens there; when something changed it and its
// descendants with the class "live" get the event "live", which hx-trigger="live" turns into a request. After a
// connection was lost everything is fetched once more, because signals may have been missed meanwhile.
"use strict";

for (const element of document.querySelectorAll("[data-live]")) {
  const state = document.getElementById("live-state");
  let lost = false;
  const show = (on) => {
    if (!state) return;
    state.hidden = false;
    state.classList.toggle("off", !on);
    state.textContent = on ? state.dataset.on : state.dataset.off;
  };
  const fetchAll = (topic) => {
    for (const part of [element, ...element.querySelectorAll(".live")]) {
      part.dispatchEvent(new CustomEvent("live", { detail: { topic } }));
    }
  };
  const source = new EventSource(element.dataset.live);
  source.addEventListener("open", () => { show(true); if (lost) fetchAll("everything"); lost = false; });
  source.addEventListener("error", () => { show(false); lost = true; });
  source.addEventListener("change", (event) => fetchAll(event.data));
  source.addEventListener("ended", () => { source.close(); location.reload(); });
  addEventListener("pagehide", () => source.close());
}
