// Elements, found and made.

export const $ = (id) => document.getElementById(id);

/** An element with attributes, listeners (`onclick`) and children; what is null is left out. */
export function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for a part of a drawing. */
export function draw(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Sets the text of an element, and leaves it alone where nothing changes. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** The options of a `select`, made anew only when they are others. */
export function offer(select, options, chosen) {
  const key = JSON.stringify(options);
  if (select.dataset.options !== key) {
    select.dataset.options = key;
    select.replaceChildren(...options.map(([value, title]) => make("option", { value }, title)));
  }
  if (select.value !== chosen) select.value = chosen;
}
