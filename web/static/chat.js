// The chat: asks as a stream and builds what comes. Without this file the same form asks by POST.

import { build, el } from "./elements.js";
import { forget, remember, showPast } from "./past.js";
import { showPreviews } from "./previews.js";
import { ask, Problem } from "./stream.js";

const NEAR = 64; // px from the bottom: nearer, the page follows what is added
const LOST = "The connection was lost before the answer was complete.";

const $ = (selector, within = document) => within.querySelector(selector);
const log = $(".log"), form = $(".ask"), question = $("#question"), said = $("#said");

// Draft: what is typed survives a reload, and is only forgotten once it is answered.

const DRAFT = "footnote.draft";
const store = {
  get: (key) => { try { return localStorage.getItem(key) ?? ""; } catch { return ""; } },
  set: (key, value) => { try { value ? localStorage.setItem(key, value) : localStorage.removeItem(key); } catch { /* private window: nothing to keep it in */ } },
};

// Scrolling

const page = document.scrollingElement;
const fromBottom = () => page.scrollHeight - innerHeight - scrollY;
const smooth = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth");

function follow(turn) {
  // The end of what has come, unless that would push the question out of sight.
  const top = turn.getBoundingClientRect().top + scrollY - 16;
  scrollTo({ top: Math.min(top, page.scrollHeight - innerHeight), behavior: smooth() });
}

// One question

let asking = null; // the AbortController of the answer under way

function pending(text) {
  const status = el("p", { class: "stage" }, "Searching…");
  const draft = el("div", { class: "prose draft" });
  const actions = el("p", { class: "again" });
  const turn = el("article", { class: "turn pending", tabindex: "-1" },
    el("div", { class: "said" }, el("h2", { class: "question" }, text), status, draft, actions));
  return { turn, status, draft, actions };
}

function draftPiece(text) {
  // Marks stand out at once; they become links when the answer is whole.
  return text.split(/(\[\d+\])/).map((part) => (/^\[\d+\]$/.test(part) ? el("span", { class: "cite" }, part.slice(1, -1)) : part));
}

async function send(text, replaced = null) {
  if (asking) return;
  const mine = (asking = new AbortController());
  const shown = pending(text);
  opened();
  if (replaced) replaced.replaceWith(shown.turn);
  else log.append(shown.turn);
  log.setAttribute("aria-busy", "true");
  said.textContent = "Answering…";
  buttons(true);
  follow(shown.turn);
  let answer = null;
  try {
    answer = await receive(text, shown, mine.signal);
    if (!answer) throw new Problem(LOST);
    finish(shown.turn, answer);
  } catch (error) {
    failed(shown, text, mine.signal.aborted ? "Stopped." : error instanceof Problem ? error.message : LOST);
  } finally {
    asking = null;
    buttons(false);
    log.removeAttribute("aria-busy");
    jump();
  }
}

async function receive(text, shown, signal) {
  const body = { question: text, tags: tags(), conversation_id: conversation() || null };
  for await (const { event, data } of ask("/api/v1/ask/stream?view=true", body, signal)) {
    const near = fromBottom() <= NEAR;
    if (event === "sources") {
      const n = data.articles;
      shown.status.textContent = n ? `Reading ${n} article${n === 1 ? "" : "s"}…` : "Answering…";
    } else if (event === "token") {
      shown.status.textContent = "Answering…";
      shown.draft.append(...draftPiece(data.text));
    } else if (event === "answer") return data;
    else throw new Problem(data.detail ?? LOST);
    if (near) follow(shown.turn);
    jump();
  }
  return null;
}

function finish(place, answer) {
  const near = fromBottom() <= NEAR || place.getBoundingClientRect().top < innerHeight;
  const turn = build(answer.view.find((part) => Array.isArray(part)));
  turn.classList.add("new");
  place.replaceWith(turn);
  said.textContent = outcome(answer);
  if (store.get(DRAFT) === answer.question) store.set(DRAFT, "");
  if (!answer.degraded.includes("journal")) keep(answer);
  if (near) follow(turn);
}

function outcome({ kind, citations, closest }) {
  const counted = (list, word) => `${list.length} ${word}${list.length === 1 ? "" : "s"}`;
  if (kind === "answered") return `Answer ready, ${counted(citations, "source")}`;
  return kind === "closest" ? `No certain answer, ${counted(closest, "close passage")}` : "No answer found";
}

function failed({ turn, status, actions }, text, why) {
  turn.classList.remove("pending");
  status.textContent = why;
  status.className = why === "Stopped." ? "stage" : "error";
  said.textContent = why;
  const retry = el("button", { class: "outline", type: "button" }, "Retry");
  retry.addEventListener("click", () => send(text, turn));
  const edit = el("button", { class: "quiet", type: "button" }, "Edit the question");
  edit.addEventListener("click", () => { question.value = text; turn.remove(); question.focus(); grow(); });
  actions.append(retry, edit);
}

// The conversation

const conversation = () => $("input[name=conversation_id]", form)?.value ?? "";
const tags = () => [...form.querySelectorAll("input[name=tags]:checked")].map((box) => box.value);

function keep(answer) {
  const id = answer.conversation_id;
  if (conversation() !== id) {
    form.append(el("input", { type: "hidden", name: "conversation_id", value: id }));
    history.replaceState(null, "", `/conversations/${id}`);
    document.title = `${answer.question.slice(0, 60)} · Footnote`;
    const remove = el("form", { method: "post", action: `/conversations/${id}/delete` },
      el("p", {}, "This removes the questions, answers and feedback for good; permalinks stop working."),
      el("button", {}, "Delete this conversation"));
    $(".about").replaceChildren(
      el("a", { class: "button quiet", href: `/conversations/${id}.md`, download: "" }, "Export"),
      el("details", { class: "delete" }, el("summary", { class: "button quiet" }, "Delete"), remove));
    $(".about").hidden = false;
  }
  remember(id, answer.question);
}

function opened() {
  // From the empty page to a conversation.
  if (!$(".page.empty")) return;
  $(".page.empty").classList.remove("empty");
  for (const part of document.querySelectorAll(".opening, .offers, .past")) part.remove();
  $(".conversation").prepend(el("h1", { class: "hidden" }, "Conversation"));
  $(".tools").hidden = false;
  $("label[for=question]").textContent = "Ask a follow-up";
  $(".tags", form)?.removeAttribute("open");
  question.rows = 1;
}

// The form

const submit = form && $(".under > button", form);

function buttons(busy) {
  submit.textContent = busy ? "Stop" : "Ask";
  submit.classList.toggle("stop", busy);
}

function grow() {
  if (!CSS.supports("field-sizing", "content")) question.rows = Math.min(12, question.value.split("\n").length);
}

function chips() {
  const list = $(".chosen", form);
  if (!list) return;
  list.replaceChildren(...tags().map((tag) => {
    const button = el("button", { type: "button", "aria-label": `Remove the tag ${tag}` }, tag, el("span", { "aria-hidden": "true" }, "×"));
    button.addEventListener("click", () => {
      [...form.querySelectorAll("input[name=tags]")].find((box) => box.value === tag).checked = false;
      chips();
      question.focus();
    });
    return el("li", {}, button);
  }));
  list.hidden = !list.children.length;
}

function jump() {
  // Only when there is something to jump to: what is still coming, or a last turn out of sight.
  const last = log.lastElementChild;
  const away = last && fromBottom() > NEAR && (asking || last.getBoundingClientRect().top > innerHeight - 2 * NEAR);
  $(".jump").hidden = !away;
}

function start() {
  if (!question.value) question.value = store.get(DRAFT);
  chips();
  grow();
  question.addEventListener("input", () => { store.set(DRAFT, question.value); grow(); });
  question.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      if (!asking) form.requestSubmit();
    } else if (event.key === "Escape" && asking) asking.abort();
  });
  form.addEventListener("change", chips);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (asking) return asking.abort();
    const text = question.value.trim();
    if (!text) return question.focus();
    store.set(DRAFT, text);
    question.value = "";
    grow();
    $("#error")?.remove();
    send(text);
  });
  submit.addEventListener("click", (event) => {
    if (asking) { event.preventDefault(); asking.abort(); } // an empty field would not let the form be sent
  });
  $(".jump").addEventListener("click", () => { follow(log.lastElementChild); log.lastElementChild.focus({ preventScroll: true }); });
  addEventListener("scroll", jump, { passive: true });
  if (location.pathname === "/") showPast($(".past"));
  else if (conversation()) remember(conversation(), $(".question")?.textContent ?? "");
  jump();
}

// What is inside a turn

document.addEventListener("submit", async (event) => {
  const sent = event.target;
  if (sent.matches("[data-ask]")) {
    if (!form) return;
    event.preventDefault();
    send(event.submitter.value);
  } else if (sent.matches("[data-swap]")) {
    event.preventDefault();
    await swap(sent, event.submitter);
  } else if (sent.matches(".delete form")) forget(sent.getAttribute("action").split("/")[2]);
});

async function swap(sent, submitter) {
  const box = sent.parentElement;
  try {
    const response = await fetch(sent.getAttribute("action"), {
      method: "POST", headers: { accept: "application/json" }, body: new URLSearchParams(new FormData(sent, submitter)),
    });
    if (!response.ok) throw new Error(response.statusText);
    const shown = (await response.json()).find((part) => Array.isArray(part));
    const next = build(shown);
    box.replaceWith(next);
    $("input:not([type=hidden]), [tabindex]", next)?.focus();
  } catch {
    if (!$(".error", box)) box.append(el("p", { class: "error", role: "alert" }, "This could not be sent: please try again."));
  }
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-copy]");
  if (!link || !navigator.clipboard || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  try {
    const text = fetch(link.href).then((response) => response.blob()).then((blob) => new Blob([blob], { type: "text/plain" }));
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": text })]);
    link.textContent = tell("Copied");
    setTimeout(() => { link.textContent = "Copy as Markdown"; }, 2000);
  } catch {
    location.assign(link.href);
  }
});

const tell = (text) => { if (said) said.textContent = text; return text; };

showPreviews(document);
if (form) start();
