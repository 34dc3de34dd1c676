// Conversations this browser has held: their ids and titles stay here, what was said stays with the server.

import { el } from "./elements.js";

const KEY = "footnote.conversations";
const MOST = 30;

function all() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "[]").filter(({ id, title }) => /^\w+$/.test(id) && typeof title === "string");
  } catch {
    return [];
  }
}

function save(list) {
  try { localStorage.setItem(KEY, JSON.stringify(list.slice(0, MOST))); } catch { /* nowhere to keep it: the address still works */ }
}

export function remember(id, title) {
  const known = all();
  const earlier = known.find((one) => one.id === id);
  save([earlier ?? { id, title: title.slice(0, 120) }, ...known.filter((one) => one !== earlier)]);
}

export const forget = (id) => save(all().filter((one) => one.id !== id));

export function showPast(section) {
  const list = section.querySelector("ul");
  list.replaceChildren(...all().map(({ id, title }) => {
    const remove = el("button", { class: "quiet", type: "button", "aria-label": `Delete “${title}”` }, "Delete");
    const item = el("li", {}, el("a", { href: `/conversations/${id}` }, title), remove);
    remove.addEventListener("click", () => removal(section, item, id, remove));
    return item;
  }));
  section.hidden = !list.children.length;
}

async function removal(section, item, id, button) {
  if (!button.dataset.sure) {
    button.dataset.sure = "yes";
    button.textContent = "Delete for good?";
    return;
  }
  const gone = await fetch(`/api/v1/conversations/${id}`, { method: "DELETE" }).then((r) => r.ok || r.status === 404, () => false);
  if (!gone) {
    button.textContent = "Not deleted: try again";
    return;
  }
  forget(id);
  const next = item.nextElementSibling ?? item.previousElementSibling;
  item.remove();
  (next?.querySelector("a") ?? document.querySelector("#question"))?.focus();
  section.hidden = !section.querySelector("li");
}
