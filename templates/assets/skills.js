// The skill table's import: a sheet is sent whole; what is wrong with it comes back as sentences.
for (const input of document.querySelectorAll("[data-skills-import]")) {
  input.addEventListener("change", async () => {
    const file = input.files[0];
    if (!file) return;
    const outcome = document.getElementById("skills-outcome");
    const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
    const answer = await fetch("/skills/import", {
      method: "POST",
      body: file,
      credentials: "same-origin",
      headers: { "X-CSRF-Token": token, "X-Quiet": "1", "Content-Type": "text/csv", Accept: "application/json" },
    });
    const told = await answer.json().catch(() => ({}));
    const list = document.createElement("ul");
    list.className = answer.ok ? "note good" : "note bad";
    for (const sentence of answer.ok ? [told.sentence] : (told.sentences ?? [told.detail ?? String(answer.status)])) {
      const line = document.createElement("li");
      line.textContent = sentence;
      list.append(line);
    }
    outcome.replaceChildren(list);
    input.value = "";
    if (answer.ok) setTimeout(() => location.reload(), 1200);
  });
}

// The grid: a cell is saved when it is left; arrows and Enter move, Escape puts back what was there.
const grid = () => document.getElementById("grid");

function neighbour(cell, key) {
  const td = cell.closest("td"), tr = td.parentElement;
  const column = [...tr.children].indexOf(td);
  const to = { ArrowLeft: td.previousElementSibling, ArrowRight: td.nextElementSibling, ArrowUp: tr.previousElementSibling?.children[column], ArrowDown: tr.nextElementSibling?.children[column], Enter: tr.nextElementSibling?.children[column] };
  return to[key]?.querySelector("input");
}

document.addEventListener("focusin", (event) => {
  if (event.target.matches?.("[data-skill-grid] input")) event.target.select();
});

document.addEventListener("keydown", (event) => {
  const cell = event.target;
  if (!cell.matches?.("[data-skill-grid] input") || event.isComposing) return;
  if (event.key === "Escape") { cell.value = cell.getAttribute("value") ?? ""; cell.classList.remove("refused"); cell.select(); return; }
  const whole = cell.selectionStart === 0 && cell.selectionEnd === cell.value.length;
  const sideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
  const atEdge = whole || (event.key === "ArrowLeft" ? cell.selectionEnd === 0 : cell.selectionStart === cell.value.length);
  if (sideways && !atEdge) return;
  const next = neighbour(cell, event.key);
  if (!next) return;
  event.preventDefault();
  next.focus();
});

document.addEventListener("change", (event) => {
  const cell = event.target;
  if (!cell.matches?.("[data-skill-grid] input")) return;
  const text = cell.value.trim().normalize("NFKC");
  const sound = text === "" || (/^\d{1,3}$/.test(text) && Number(text) <= 100);
  cell.classList.toggle("refused", !sound);
  if (!sound || text === (cell.getAttribute("value") ?? "")) return;
  const { region, modality } = cell.dataset;
  window.htmx.ajax("POST", "/skills/cells", { source: cell, target: "#grid", swap: "outerMorph", values: { reader: grid().dataset.reader, region, modality, value: text } });
});

document.addEventListener("submit", (event) => {
  if (event.target.matches?.("[data-undoes]")) event.target.closest("[data-toast]").hidden = true;
});
