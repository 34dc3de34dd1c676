// An article: current section, copying, the cited passage in focus. It reads whole without this.
import { el } from "/static/base.js";

const said = el("p", { class: "hidden", role: "status" });
document.body.append(said);

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    said.textContent = "Copied";
    return true;
  } catch { // no permission, or no clipboard without https
    return false;
  }
}

const links = [...document.querySelectorAll(".contents a")];
const sections = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));

function showSection() {
  const passed = sections.findLastIndex((section) => section && section.getBoundingClientRect().top < innerHeight * 0.4);
  const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
  const now = links[atEnd ? links.length - 1 : passed];
  for (const link of links) {
    if (link === now) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

let waiting = false;
if (links.length) {
  addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; showSection(); });
  }, { passive: true });
  showSection();
}

for (const anchor of document.querySelectorAll(".prose .anchor")) {
  anchor.addEventListener("click", async () => {
    if (!await copied(anchor.href)) return;
    anchor.dataset.copied = "";
    setTimeout(() => delete anchor.dataset.copied, 2000);
  });
}

function button(label, name, act) {
  const made = el("button", { type: "button", "aria-label": name }, label);
  made.addEventListener("click", () => act(made));
  return made;
}

document.querySelectorAll(".prose .code").forEach((box, number) => {
  const name = `code ${number + 1}`;
  const wrap = button("Wrap", `Wrap the lines of ${name}`, () => {
    wrap.setAttribute("aria-pressed", String(box.classList.toggle("wrapped")));
  });
  wrap.setAttribute("aria-pressed", "false");
  const copy = button("Copy", `Copy ${name}`, async () => {
    copy.textContent = await copied(box.querySelector("pre").textContent) ? "Copied" : "Not copied";
    setTimeout(() => { copy.textContent = "Copy"; }, 2000);
  });
  const language = box.querySelector(".language") ?? el("span", { class: "language" });
  box.prepend(el("div", { class: "tools" }, language, wrap, copy));
});

const cited = document.querySelector("#cited");
const bar = document.querySelector(".citing p");
if (cited && bar) {
  if (location.hash === "#cited") {
    cited.tabIndex = -1;
    cited.focus({ preventScroll: true });
  }
  if (!bar.querySelector(".back") && history.length > 1) {
    const back = el("button", { class: "back", type: "button" }, "← Back to answer");
    back.addEventListener("click", () => history.back());
    bar.prepend(back);
  }
}

const form = document.querySelector(".helpful form");
form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const thanks = document.getElementById("~asked");
  thanks.setAttribute("role", "status");
  try {
    const body = new URLSearchParams({ helpful: event.submitter.value });
    const response = await fetch(location.pathname, { method: "POST", body, redirect: "manual" });
    if (response.type !== "opaqueredirect" && !response.ok) throw new Error(String(response.status));
    thanks.textContent = "Thank you: your opinion is counted.";
    thanks.tabIndex = -1;
    thanks.focus();
    form.remove();
  } catch {
    thanks.textContent = "That did not reach us. Please try again.";
  }
});
