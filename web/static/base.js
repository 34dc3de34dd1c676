// Keys on every page: "/" goes to the question or the search, "?" lists the keys. One document, one listener.

import { el } from "./elements.js";
export { el };

const KEYS = [
  ["/", "go to the question or the search"],
  ["?", "show these keys"],
  ["Enter", "send the question"],
  ["Shift + Enter", "begin a new line in the question"],
  ["Esc", "close what has opened, or stop an answer"],
];

const field = () => document.querySelector("#question, input[type=search]");
const typing = (target) => target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], dialog");

let keys;

function showKeys() {
  if (!keys) {
    const rows = KEYS.map(([key, what]) => el("div", {}, el("dt", {}, el("kbd", {}, key)), el("dd", {}, what)));
    const close = el("button", { class: "outline", type: "button" }, "Close");
    close.addEventListener("click", () => keys.close());
    keys = el("dialog", { class: "keys", "aria-labelledby": "~keys" },
      el("h2", { id: "~keys" }, "Keyboard shortcuts"), el("dl", {}, ...rows), close);
    document.body.append(keys);
  }
  keys.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (event.key === "/") {
    const target = field() ?? document.querySelector(".brand");
    event.preventDefault();
    if (target.matches(".brand")) location.assign("/");
    else target.focus();
  } else if (event.key === "?") {
    event.preventDefault();
    showKeys();
  }
});
