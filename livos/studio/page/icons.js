/** The page's own icons: lines on a grid of 20 x 20, in the colour of the text around them. */

/** @type {Record<string, string>} what is inside the svg element */
const SHAPES = {
  brush: '<path d="M16.8 3.2a1.7 1.7 0 0 0-2.4 0L8 9.6l2.4 2.4 6.4-6.4a1.7 1.7 0 0 0 0-2.4Z"/><path d="M6.9 11.1c-1.7 0-2.7 1.2-2.8 2.8-.1 1-.6 1.7-1.4 2.1 2.600.9 6.600.4 6.700-2.700 0-1.200-1.200-2.200-2.500-2.200Z"/>',
  eraser: '<path d="m8.200 16.500-4.700-4.700a1.400 1.400 0 0 1 0-2l6.500-6.500a1.400 1.400 0 0 1 2 0l4.600 4.600a1.400 1.400 0 0 1 0 2l-6.600 6.600Z"/><path d="M16.500 16.500H8.200M6.700 6.600l6.700 6.700"/>',
  polygon: '<path d="m10 3.500 6.200 4.600-2.300 7.600H6.100L3.800 8.100Z"/><g fill="currentColor" stroke="none"><circle cx="10" cy="3.500" r="1.600"/><circle cx="16.200" cy="8.100" r="1.600"/><circle cx="13.900" cy="15.700" r="1.600"/><circle cx="6.100" cy="15.700" r="1.600"/><circle cx="3.800" cy="8.100" r="1.600"/></g>',
  magnetic: '<path d="M4.500 4v6.500a5.500 5.500 0 0 0 11 0V4h-3.300v6.500a2.200 2.200 0 0 1-4.400 0V4Z"/><path d="M4.500 7.200h3.300M12.200 7.200h3.300"/>',
  clicks: '<path d="m8 8 9 3.300-4 1.700-1.700 4Z"/><path d="M8 2.500v2M2.500 8h2M4.100 4.100l1.400 1.400M11.900 4.100l-1.400 1.400M4.100 11.900l1.400-1.400"/>',
  box: '<path d="M4 7V4h3M13 4h3v3M16 13v3h-3M7 16H4v-3"/><path d="M10 7.300c1.800 0 2.800 1.200 2.800 2.800S11.600 13 10 13s-2.800-1.100-2.800-2.700S8.300 7.300 10 7.300Z"/>',
  scribble: '<path d="M3 12.500c2-5 4-7.500 5-6.600 1.200 1-2.700 6.300-1.500 7.200 1.200.8 3.600-5.700 5-5 1.300.700-1.700 5-.500 5.800.900.600 2.500-1.400 3.400-2.200"/><path d="M14.500 16.500h4M16.500 14.500v4M2 17h4"/>',
  fill: '<path d="m9.500 3.800 6 6-5.800 5.700a1.300 1.300 0 0 1-1.900 0l-4.100-4.100a1.300 1.300 0 0 1 0-1.900Z"/><path d="M7.300 2 9.500 3.800M3.600 10.700h11"/><path d="M16.800 13c.9 1.300 1.300 2 1.300 2.600a1.300 1.300 0 0 1-2.600 0c0-.600.400-1.300 1.300-2.600Z" fill="currentColor" stroke="none"/>',
  hand: '<path d="M6.500 10.500V5.300a1.100 1.100 0 0 1 2.200 0V9M8.700 9V4a1.100 1.100 0 0 1 2.200 0v5M10.900 9V4.900a1.100 1.100 0 0 1 2.200 0v5M13.100 9.500V7a1.100 1.100 0 0 1 2.200 0v5.200c0 3-1.900 4.800-4.600 4.800-2.300 0-3.500-1-4.600-2.900l-1.900-3.300c-.6-1.100 1-2 1.800-1l.500.700"/>',
  undo: '<path d="M7 4 3.500 7.500 7 11"/><path d="M3.500 7.500h8a4.500 4.500 0 0 1 0 9H8"/>',
  redo: '<path d="m13 4 3.500 3.500L13 11"/><path d="M16.500 7.500h-8a4.500 4.500 0 0 0 0 9H12"/>',
  play: '<path d="M6 3.800v12.400a.6.600 0 0 0 .9.500l9.800-6.200a.6.600 0 0 0 0-1L6.900 3.300a.6.600 0 0 0-.9.500Z" fill="currentColor"/>',
  pause: '<path d="M5.500 4h3v12h-3zM11.500 4h3v12h-3z" fill="currentColor"/>',
  previous: '<path d="m12.500 4.500-5.500 5.500 5.500 5.500"/>',
  next: '<path d="m7.500 4.500 5.500 5.500-5.500 5.500"/>',
  first: '<path d="M5 4.500v11M15 4.500 9.500 10l5.500 5.500"/>',
  last: '<path d="M15 4.500v11M5 4.500l5.500 5.500L5 15.500"/>',
  markPrevious: '<path d="M8 10 4.500 6.500M8 10l-3.500 3.500" transform="matrix(-1 0 0 1 11.500 0)"/><path d="m13.500 6.300 3.700 3.700-3.700 3.700L9.800 10Z" fill="currentColor"/>',
  markNext: '<path d="m12 6.500 3.500 3.500-3.500 3.500"/><path d="M6.500 6.300 10.200 10l-3.700 3.700L2.800 10Z" fill="currentColor"/>',
  doubt: '<path d="M2.500 6c2.500 0 2.500 1 4.500 1 2.500 0 2 7.500 4 7.500 2.200 0 2-8 4-8.500 1-.2 1.500 0 2.500 0"/><circle cx="11" cy="14.500" r="1.700" fill="currentColor" stroke="none"/>',
  rangeIn: '<path d="M9 3.500H6v13h3M10.500 10h6M13.500 7l-3 3 3 3"/>',
  rangeOut: '<path d="M11 3.500h3v13h-3M9.500 10h-6M6.500 7l3 3-3 3"/>',
  rangeClear: '<path d="M6.500 3.500h-3v13h3M13.500 3.500h3v13h-3M8 8l4 4M12 8l-4 4"/>',
  forward: '<path d="M3 10h12.500M11 5.500l4.500 4.500-4.500 4.500"/>',
  backward: '<path d="M17 10H4.500M9 5.500 4.500 10 9 14.500"/>',
  both: '<path d="M3 10h14M6.500 6.500 3 10l3.500 3.500M13.500 6.500 17 10l-3.500 3.500"/>',
  refill: '<path d="M3 4.500v11M17 4.500v11M5.500 10H9M7.500 8l-2 2 2 2" transform="matrix(-1 0 0 1 14.500 0)"/><path d="M3 4.500v11M17 4.500v11M14.500 10H11M13 8l-2 2 2 2"/>',
  range: '<path d="M6 4H3.500v12H6M14 4h2.500v12H14M6.500 10h7M11.500 8l2 2-2 2"/>',
  stop: '<rect x="5" y="5" width="10" height="10" rx="1.500" fill="currentColor"/>',
  eye: '<path d="M2.500 10S5 4.800 10 4.800 17.500 10 17.500 10 15 15.200 10 15.200 2.500 10 2.500 10Z"/><circle cx="10" cy="10" r="2.300"/>',
  eyeOff: '<path d="M8 5c.6-.1 1.300-.2 2-.2 5 0 7.500 5.200 7.500 5.200a13 13 0 0 1-1.900 2.600M5 6.300A12 12 0 0 0 2.500 10s2.500 5.200 7.500 5.200c1.300 0 2.500-.4 3.500-.9M3 3l14 14"/>',
  lock: '<rect x="4.500" y="9" width="11" height="7.500" rx="1.500"/><path d="M7 9V6.500a3 3 0 0 1 6 0V9"/>',
  unlock: '<rect x="4.500" y="9" width="11" height="7.500" rx="1.500"/><path d="M7 9V6.500a3 3 0 0 1 5.800-1"/>',
  plus: '<path d="M10 4v12M4 10h12"/>',
  minus: '<path d="M4 10h12"/>',
  trash: '<path d="M3.500 5.500h13M8 5.500V3.500h4v2M5 5.500l.8 11h8.400l.8-11M8.300 8.500v5M11.700 8.500v5"/>',
  merge: '<path d="M4 4c0 5 6 3.500 6 8.500M16 4c0 5-6 3.500-6 8.500v4M7.500 14l2.500 2.500 2.500-2.500"/>',
  more: '<g fill="currentColor" stroke="none"><circle cx="4.500" cy="10" r="1.500"/><circle cx="10" cy="10" r="1.500"/><circle cx="15.500" cy="10" r="1.500"/></g>',
  edit: '<path d="m4 16 .8-3.500L13.500 3.800a1.300 1.300 0 0 1 1.800 0l.9.900a1.300 1.300 0 0 1 0 1.800L7.500 15.200Z"/>',
  importing: '<path d="M10 3v9M6.500 8.500 10 12l3.500-3.500M3.500 13v3.500h13V13"/>',
  exporting: '<path d="M10 12V3M6.500 6.500 10 3l3.500 3.500M3.500 13v3.500h13V13"/>',
  settings: '<path d="M3 6h6M13 6h4M3 14h3M10 14h7"/><circle cx="11" cy="6" r="2"/><circle cx="8" cy="14" r="2"/>',
  help: '<circle cx="10" cy="10" r="7.200"/><path d="M7.800 7.900c.2-1.300 1.100-2 2.300-2 1.300 0 2.200.8 2.200 1.900 0 1.700-2.200 1.800-2.200 3.500"/><circle cx="10.100" cy="13.800" r=".6" fill="currentColor"/>',
  sun: '<circle cx="10" cy="10" r="3.200"/><path d="M10 2.500v1.700M10 15.800v1.700M2.500 10h1.700M15.800 10h1.700M4.700 4.700l1.200 1.200M14.100 14.100l1.200 1.200M4.700 15.300l1.200-1.200M14.100 5.900l1.200-1.200"/>',
  moon: '<path d="M16.500 11.800A6.800 6.800 0 0 1 8.200 3.500a6.800 6.800 0 1 0 8.300 8.300Z"/>',
  folder: '<path d="M2.500 5.500A1.500 1.500 0 0 1 4 4h3.500l2 2H16a1.500 1.500 0 0 1 1.500 1.500v7A1.500 1.500 0 0 1 16 16H4a1.500 1.500 0 0 1-1.500-1.500Z"/>',
  film: '<rect x="2.500" y="4" width="15" height="12" rx="1.500"/><path d="M6 4v12M14 4v12M2.500 8H6M2.500 12H6M14 8h3.500M14 12h3.500"/>',
  up: '<path d="M10 16.500V4M5 9l5-5 5 5"/>',
  close: '<path d="m5 5 10 10M15 5 5 15"/>',
  check: '<path d="m4 10.500 4 4 8-9"/>',
  warning: '<path d="M10 3.200 2.600 16.300h14.800Z"/><path d="M10 8v3.800"/><circle cx="10" cy="14" r=".6" fill="currentColor"/>',
  down: '<path d="m5 7.500 5 5 5-5"/>',
  overlay: '<rect x="3" y="4" width="14" height="12" rx="1.500"/><path d="M7 16c0-4 1.500-6.500 4-6.500s4 2.500 4 6.500" fill="currentColor" fill-opacity=".45"/>',
  alone: '<path d="M6 16c0-4.500 1.600-7.500 4.200-7.500S14.500 11.500 14.500 16Z" fill="currentColor"/><path d="M3 6V4h2M15 4h2v2M3 14v2h1M17 14v2h-1"/>',
  compare: '<rect x="3" y="4" width="14" height="12" rx="1.500"/><path d="M10 2.500v15"/><path d="M10 4h5.500A1.500 1.500 0 0 1 17 5.500v9a1.500 1.500 0 0 1-1.500 1.500H10Z" fill="currentColor" fill-opacity=".45" stroke="none"/>',
  outline: '<path d="M10 3.500c4 0 6.500 2.300 6.500 6s-2 7-6.500 7-7-2.500-7-6.500 3-6.500 7-6.500Z" stroke-width="2"/>',
  fit: '<path d="M4 7.500V4h3.500M12.500 4H16v3.500M16 12.500V16h-3.500M7.500 16H4v-3.500"/>',
  snap: '<path d="m3.500 16.500 8-8M13.500 3v3M13.500 9.500v3M16.800 7.800h-2.300M12.500 7.800h-2.300M15.800 5.400l-1.200 1.200M15.800 10.100l-1.200-1.200M11.300 5.400l1.200 1.200"/>',
  holes: '<circle cx="10" cy="10" r="7"/><circle cx="10" cy="10" r="2.600" stroke-dasharray="2 1.500"/>',
  smooth: '<path d="M2.500 8 5 5.500 7 8l2.500-3"/><path d="M2.500 15c3-4.500 5-4.500 7.500-2s4.500 2 7.500-2.500"/>',
  specks: '<path d="M10.500 4c3.300 0 5.500 2 5.500 5s-2 5.500-5.500 5.500S5 12 5 9s2.200-5 5.500-5Z"/><path d="M2.500 15.200 4.500 17.200M4.500 15.200l-2 2"/>',
  give: '<path d="m10 3.500 6.500 6.500-6.500 6.500L3.500 10Z"/><path d="m7.300 10 2 2 3.600-3.800"/>',
  gone: '<path d="m10 3.500 6.500 6.500-6.500 6.500L3.500 10Z"/><path d="m8 8 4 4M12 8l-4 4"/>',
};

/**
 * An icon as an element; it says nothing to a screen reader, its button does.
 * @param {string} name
 * @returns {SVGSVGElement}
 * @throws {RangeError} if there is no such icon
 */
export function icon(name) {
  if (!(name in SHAPES)) throw new RangeError(`no icon is called ${name}`);
  const holder = document.createElement("template");
  holder.innerHTML = `<svg class="icon" viewBox="0 0 20 20" aria-hidden="true">${SHAPES[name]}</svg>`;
  return /** @type {SVGSVGElement} */ (holder.content.firstChild);
}

/** @returns {string[]} the names of all icons */
export function iconNames() {
  return Object.keys(SHAPES);
}
