// The listing, filtered as one types, from the API. The form does the same without this.
import { el } from "/static/base.js";

const PAGE = 20;
const form = document.getElementById("~filters");
const at = (name) => document.getElementById(`~${name}`);
const day = new Intl.DateTimeFormat("en-US", { month: "short", day: "numeric", year: "numeric", timeZone: "UTC" });
const counted = (count, word) => `${count.toLocaleString("en-US")} ${word}${count === 1 ? "" : "s"}`;

function read() {
  const data = new FormData(form);
  return {
    q: data.get("q"), tag: data.getAll("tag"), tag_mode: data.get("tag_mode") === "all" ? "all" : "",
    featured: data.get("featured") ?? "", sort: data.get("sort"),
  };
}

function query(state) {
  const pairs = Object.entries(state).flatMap(([name, value]) => [value].flat().map((one) => [name, one]));
  return new URLSearchParams(pairs.filter(([, value]) => value)).toString();
}

function address(state, changes = {}) {
  const found = query({ ...state, ...changes });
  return found ? `/browse?${found}` : "/browse";
}

function chip(text, name, href) {
  return el("li", {}, el("a", { href, "aria-label": name }, `${text} `, el("span", { "aria-hidden": "true" }, "×")));
}

function showChosen(state) {
  const chips = state.tag.map((tag) =>
    chip(tag, `Remove the tag ${tag}`, address(state, { tag: state.tag.filter((own) => own !== tag) })));
  if (state.featured) {
    chips.unshift(chip("Featured", "Show articles that are not featured too", address(state, { featured: "" })));
  }
  if (state.q.trim()) chips.unshift(chip(`“${state.q}”`, `Remove the search “${state.q}”`, address(state, { q: "" })));
  at("chosen").replaceChildren(...chips);
  at("chosen").hidden = !chips.length;
}

function row(article, state) {
  const kind = el("p", { class: "kind" }, article.type);
  if (article.featured) kind.append(" ", el("span", { class: "featured" }, "★ Featured"));
  const facts = el("p", { class: "facts" }, counted(article.views, "view"));
  if (article.updated) {
    facts.append(" · ", el("time", { datetime: article.updated }, day.format(new Date(`${article.updated}T00:00Z`))));
  }
  const tags = article.tags.map((tag) => el("li", {}, el("a", { href: address(state, { tag: [tag] }) }, tag)));
  const meta = el("div", { class: "meta" });
  if (tags.length) meta.append(el("ul", { class: "chips", "aria-label": "Tags" }, ...tags));
  meta.append(facts);
  const parts = [kind, el("h2", {}, el("a", { href: article.url }, article.title))];
  if (article.summary) parts.push(el("p", { class: "summary" }, article.summary));
  return el("li", {}, el("article", {}, ...parts, meta));
}

function nothing(state) {
  const ways = el("p");
  if (state.q.trim()) {
    ways.append(el("a", { class: "button", href: `/?${query({ q: state.q })}` }, "Ask this in chat"), " ");
  }
  ways.append(el("a", { href: "/browse" }, "Show all articles"));
  const what = `${state.q.trim() ? ` “${state.q}”` : ""}${state.tag.length ? " with the chosen tags" : ""}`;
  return el("div", { class: "nothing" }, el("p", {}, `No article matches${what}.`), ways);
}

function pages(total, state) {
  const last = Math.ceil(total / PAGE);
  const numbers = [...Array(last).keys()].map((n) => n + 1).filter((n) => n <= 4 || n === last);
  const nav = el("nav", { class: "pages", "aria-label": "Pages" });
  for (const n of numbers) {
    if (n === last && last > 5) nav.append(el("span", {}, "…"));
    const link = el("a", { href: address(state, n > 1 ? { page: n } : {}), "aria-label": `Page ${n}` }, String(n));
    if (n === 1) link.setAttribute("aria-current", "page");
    nav.append(link);
  }
  return nav;
}

function showTags(offered, state) {
  const counts = new Map(offered.map(({ tag, count }) => [tag, count]));
  const choices = form.querySelector(".choices");
  for (const label of choices.querySelectorAll("label")) { // in place: what has the focus keeps it
    const box = label.querySelector("input");
    label.querySelector(".count").textContent = counts.get(box.value) ?? 0;
    label.hidden = !counts.has(box.value) && !box.checked;
    counts.delete(box.value);
  }
  for (const [tag, count] of counts) {
    const box = el("input", { type: "checkbox", name: "tag", value: tag });
    choices.append(el("label", { class: "chip" }, box, ` ${tag} `, el("span", { class: "count" }, String(count))));
  }
  const many = state.tag.length ? ` (${state.tag.length} chosen)` : "";
  form.querySelector("summary").textContent = `Filter by tag${many}`;
}

function ask(total, state) {
  if (!total || state.featured || state.tag_mode) return [];
  if (state.q.trim()) return [el("a", { href: `/?${query({ q: state.q })}` }, "Ask this in chat")];
  if (!state.tag.length) return [];
  const which = total === 1 ? "this article" : `these ${total} articles`;
  return [el("a", { href: `/?${query({ tags: state.tag })}` }, `Ask about ${which}`)];
}

function show(found, state) {
  const corrected = found.corrected
    ? [el("p", { class: "corrected" }, `No article has “${state.q}”. Did you mean `,
      el("a", { href: address(state, { q: found.corrected }) }, found.corrected), "?")]
    : [];
  at("count").textContent = counted(found.total, "result") + (found.corrected ? ` for “${found.corrected}”` : "");
  at("corrected").replaceChildren(...corrected);
  at("asking").replaceChildren(...ask(found.total, state));
  showChosen(state);
  const list = found.total
    ? [el("ol", { class: "articles" }, ...found.items.map((article) => row(article, state)))]
    : [nothing(state)];
  if (found.total > PAGE) list.push(pages(found.total, state));
  at("list").replaceChildren(...list);
  showTags(found.offered, state);
  form.elements.sort.options[0].textContent = state.q.trim() ? "Best match" : "Featured first";
}

let running;

async function update() {
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  const state = read();
  try {
    const response = await fetch(`/api/v1/articles?${query({ ...state, limit: PAGE })}`, { signal });
    if (!response.ok) throw new Error(String(response.status));
    const found = await response.json();
    if (signal.aborted) return;
    show(found, state);
    document.querySelector("#\\~found .error")?.remove();
    history.replaceState(null, "", address(state));
  } catch (error) {
    if (error.name !== "AbortError") at("count").textContent = "The listing could not be updated. Please try again.";
  }
}

let soon;
form.addEventListener("input", () => {
  clearTimeout(soon);
  soon = setTimeout(update, 30);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  update();
});
form.querySelector("button[type=submit]").hidden = true;
