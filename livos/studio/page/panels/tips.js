/** Tool tips: what a control does, and its key, shown when the pointer rests on it or it gets the keyboard focus. */
import { el, fill } from "../dom.js";

const REST_MS = 450;

/** Shows the tips of all elements with `data-tip`. */
export function showTips() {
  const tip = el("div", { class: "tip", role: "tooltip", hidden: true });
  document.body.append(tip);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const hide = () => {
    clearTimeout(timer);
    tip.hidden = true;
  };
  const show = (/** @type {Event} */ event) => {
    const target = /** @type {Element | null} */ (event.target instanceof Element ? event.target.closest("[data-tip]") : null);
    hide();
    if (!(target instanceof HTMLElement)) return;
    if (event.type === "focusin" && !target.matches(":focus-visible")) return;
    timer = setTimeout(() => target.isConnected && open(tip, target), REST_MS);
  };
  document.addEventListener("pointerover", show);
  document.addEventListener("focusin", show);
  for (const name of ["pointerdown", "keydown", "focusout", "pointerleave"]) document.addEventListener(name, hide);
}

/**
 * @param {HTMLElement} tip
 * @param {HTMLElement} target
 */
function open(tip, target) {
  const key = target.dataset.key;
  fill(tip, [el("span", { text: target.dataset.tip }), key ? el("kbd", { text: key }) : null]);
  const holder = target.closest("dialog[open]") ?? document.body;
  holder.append(tip);
  tip.hidden = false;
  const box = target.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = tip;
  const middle = [box.left + box.width / 2 - width / 2, box.top + box.height / 2 - height / 2];
  /** @type {Record<string, number[]>} */
  const places = {
    right: [box.right + 8, middle[1]],
    left: [box.left - width - 8, middle[1]],
    above: [middle[0], box.top - height - 7],
    below: [middle[0], box.bottom + 7],
  };
  const [x, y] = places[target.dataset.tipSide ?? "below"];
  tip.style.left = `${Math.max(6, Math.min(innerWidth - width - 6, x))}px`;
  tip.style.top = `${Math.max(6, Math.min(innerHeight - height - 6, y))}px`;
}
