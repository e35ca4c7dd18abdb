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
