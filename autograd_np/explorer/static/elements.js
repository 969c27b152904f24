// Making elements. Whatever comes from the user's program reaches the page as text content or a number.

const SVG = "http://www.w3.org/2000/svg";
const MATHML = "http://www.w3.org/1998/Math/MathML";

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === false || value === null) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children.flat(9)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}
const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const s = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
/** Words with code between backticks. */
const prose = (words) => words.split("`").map((part, i) => (i % 2 ? h("code", {}, part) : part));
/** An equation: MathML with braces in the place of its brackets, whose text was escaped when it was written. */
function math(braced) {
  const text = braced.replaceAll("{", "<").replaceAll("}", ">").replace("<math", `<math xmlns="${MATHML}"`);
  return document.importNode(new DOMParser().parseFromString(text, "application/xml").documentElement, true);
}
const place = (element, x, y) => element.setAttribute("transform", `translate(${x} ${y})`);
