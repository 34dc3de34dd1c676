// A footnote's source on hover and focus, beside its mark; on a phone as a sheet. Esc closes it.

import { el } from "./elements.js";

let card, shownFor, timer;

function show(chip) {
  const turn = chip.closest(".turn");
  const source = turn?.querySelector(`.sources > li[value="${CSS.escape(chip.textContent.replace(/\D/g, ""))}"]`);
  if (!source || shownFor === chip) return;
  hide();
  const touch = matchMedia("(hover: none)").matches;
  card = el("div", { class: touch ? "preview touch" : "preview", id: "preview", role: touch ? "dialog" : "tooltip", "aria-label": "Source" });
  for (const part of source.children) {
    if (part.matches("a")) card.append(el("p", { class: "name" }, part.textContent));
    else card.append(part.cloneNode(true));
  }
  if (touch) {
    const close = el("button", { class: "quiet", type: "button" }, "Close");
    close.addEventListener("click", () => { chip.focus(); hide(); });
    card.append(el("p", { class: "ways" }, el("a", { class: "button", href: chip.getAttribute("href") }, "Open the passage"), close));
  }
  card.addEventListener("mouseenter", () => clearTimeout(timer));
  card.addEventListener("mouseleave", later);
  turn.append(card);
  chip.setAttribute("aria-describedby", "preview");
  shownFor = chip;
  if (!touch) place(chip);
  else card.querySelector("a").focus();
}

function place(chip) {
  // Below its mark where there is room, above it otherwise; never over the edge.
  const mark = chip.getBoundingClientRect(), turn = card.offsetParent.getBoundingClientRect();
  const left = Math.max(turn.left, Math.min(mark.left - 24, document.documentElement.clientWidth - card.offsetWidth - 8));
  const under = mark.bottom + 6 + card.offsetHeight < innerHeight || mark.top < card.offsetHeight + 12;
  card.style.left = `${left - turn.left}px`;
  card.style.top = `${(under ? mark.bottom + 6 : mark.top - card.offsetHeight - 6) - turn.top}px`;
}

function hide() {
  clearTimeout(timer);
  card?.remove();
  shownFor?.removeAttribute("aria-describedby");
  card = shownFor = undefined;
}

function later() {
  clearTimeout(timer);
  timer = setTimeout(hide, 200); // long enough to move onto the card
}

const chipOf = (event) => event.target.closest?.("a.cite");

export function showPreviews(root) {
  root.addEventListener("mouseover", (event) => {
    const chip = chipOf(event);
    if (!chip || matchMedia("(hover: none)").matches) return;
    clearTimeout(timer);
    timer = setTimeout(() => show(chip), 80);
  });
  root.addEventListener("mouseout", (event) => { if (chipOf(event)) later(); });
  root.addEventListener("focusin", (event) => {
    const chip = chipOf(event);
    if (chip && chip.matches(":focus-visible") && !matchMedia("(hover: none)").matches) show(chip);
    else if (shownFor && !card.contains(event.target) && event.target !== shownFor) hide();
  });
  root.addEventListener("click", (event) => {
    const chip = chipOf(event);
    if (chip && matchMedia("(hover: none)").matches && shownFor !== chip && chip.closest(".turn")) {
      event.preventDefault();
      show(chip);
    } else if (card && !card.contains(event.target)) hide();
  });
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !card) return;
    const chip = shownFor, within = card.contains(document.activeElement);
    hide();
    if (within) chip.focus();
  });
}
