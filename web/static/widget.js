// Footnote on another site: <script src="https://kb.example/widget.js" data-label="Ask the KB" data-title="…" data-tags="a,b">.
// A button opens a panel of its own world, a shadow root: the site's styles stay out, ours stay in.
(async () => {
  const script = document.currentScript;
  const home = new URL(script.src).origin;
  const { label = "Ask", title = "Ask the knowledge base", tags = "" } = script.dataset;

  // All from home; what the panel looks like goes in as a sheet, which the site's own policy lets pass.
  const [{ build, el }, { ask }, css] = await Promise.all([
    import(`${home}/static/elements.js`), import(`${home}/static/stream.js`),
    fetch(`${home}/static/widget.css`).then((response) => response.text()),
  ]);

  const host = el("div");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];

  const open = el("button", { class: "open", type: "button", "aria-expanded": "false" }, label);
  const close = el("button", { class: "close", type: "button", "aria-label": "Close" }, "✕");
  const log = el("div", { class: "log", role: "log", tabindex: "0", "aria-label": "Answers" });
  const question = el("textarea", { rows: "2", maxlength: "4000", required: "", "aria-label": "Your question" });
  const form = el("form", {}, question, el("button", {}, "Ask"));
  const panel = el("section", { class: "panel", role: "dialog", "aria-label": title, hidden: "" },
    el("header", {}, el("h2", {}, title), close), log, form);
  root.append(open, panel);

  const toggle = (shown) => {
    panel.hidden = !shown;
    open.hidden = shown;
    open.setAttribute("aria-expanded", String(shown));
    (shown ? question : open).focus();
  };
  open.addEventListener("click", () => toggle(true));
  close.addEventListener("click", () => toggle(false));
  panel.addEventListener("keydown", (event) => {
    event.stopPropagation(); // the site's own shortcuts are not meant
    if (event.key === "Escape") toggle(false);
    if (event.key === "Enter" && !event.shiftKey && event.target === question) { event.preventDefault(); form.requestSubmit(); }
  });

  let conversation = null, busy = false;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = question.value.trim();
    if (!text || busy) return;
    busy = true;
    question.value = "";
    const said = el("p", { class: "facts" }, "Searching…");
    const turn = el("div", { class: "turn" }, el("h3", {}, text), said);
    log.append(turn);
    turn.scrollIntoView({ block: "nearest" });
    try {
      const body = { question: text, tags: tags.split(",").map((tag) => tag.trim()).filter(Boolean), conversation_id: conversation };
      let answer = null;
      for await (const { event: name, data } of ask(`${home}/api/v1/ask/stream?view=true`, body)) {
        if (name === "answer") answer = data;
        else if (name === "error" || name === "interrupted") throw new Error(data.detail);
      }
      if (!answer) throw new Error("The connection was lost before the answer was complete.");
      conversation = answer.degraded.includes("journal") ? conversation : answer.conversation_id;
      turn.replaceChildren(el("h3", {}, text), ...pieces(build(answer.view.find((part) => Array.isArray(part)))));
      turn.scrollIntoView({ block: "nearest" });
    } catch (error) {
      said.textContent = error.message;
      question.value ||= text; // never lost
    } finally {
      busy = false;
    }
  });

  function pieces(view) {
    // What reads on its own; feedback and the rest are at home, where every link leads.
    const shown = [...view.querySelectorAll(".said > .facts, .said > .prose, .said > .gap, .said > .refusal, .said > .closest, .said > .elsewhere, .sources")];
    for (const link of shown.flatMap((part) => [...part.querySelectorAll("a")])) {
      link.href = new URL(link.getAttribute("href"), home);
      link.target = "_blank";
      link.rel = "noopener";
    }
    return shown;
  }

  document.body.append(host);
})();
