// Elements out of data. Text becomes text nodes and attributes are set by name, so nothing that the API says is ever read as markup.

const svgSpace = 'http://www.w3.org/2000/svg';

// What is a property rather than an attribute: the attribute is only what a form begins with.
const properties = new Set(['value', 'checked', 'disabled', 'indeterminate', 'selected']);

/** An element. `onclick` and the like are listeners; null, undefined and false leave an attribute out. */
export function h(name, attributes, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same for drawings. */
export function s(name, attributes, ...children) {
  return filled(document.createElementNS(svgSpace, name), attributes, children);
}

/** Puts new children into an element. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

/** The same for what comes anew by itself; what somebody has the focus in, or has marked, is left as it is for now. */
export function renew(element, ...children) {
  const marked = getSelection();
  const isMarked = marked?.type === 'Range' && element.contains(marked.anchorNode);
  if (!isMarked && !element.contains(document.activeElement)) fill(element, ...children);
}

function filled(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (key.startsWith('on') && typeof value === 'function') element.addEventListener(key.slice(2), value);
    else if (properties.has(key)) {
      if (value !== undefined && value !== null) element[key] = value;
    } else if (value === true) element.setAttribute(key, '');
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, String(value));
  }

  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}
