// A tree of the server, `text` or `[tag, attributes, ...children]`, as elements. What is not listed here is left out.

const TAGS = new Set(
  ("a article aside b blockquote br button code dd del details div dl dt em fieldset form h2 h3 h4 h5 h6 hr i input kbd " +
    "label legend li mark ol option p pre s samp section select span strong sub summary sup table tbody td textarea th " +
    "thead time tr ul").split(" "),
);
const ATTRIBUTES = new Set(
  ("action aria-label aria-labelledby class colspan datetime download for href id maxlength method name open required " +
    "role rows rowspan start tabindex title type value").split(" "),
);
const ADDRESS = /^(?:\/(?![\/\\])|#|https?:\/\/|mailto:)/i;

function allowed(name, value) {
  if (name === "href") return ADDRESS.test(value);
  if (name === "action") return /^\/(?![\/\\])/.test(value);
  return ATTRIBUTES.has(name) || name.startsWith("data-");
}

export function build(tree) {
  if (typeof tree === "string") return document.createTextNode(tree);
  const [tag, attributes, ...children] = tree;
  const element = document.createElement(TAGS.has(tag) ? tag : "span");
  for (const [name, value] of Object.entries(attributes)) if (allowed(name, value)) element.setAttribute(name, value);
  element.append(...children.map(build));
  return element;
}

export const el = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};
