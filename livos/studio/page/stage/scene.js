/** Draws the stage: the frame with objects over it, an object alone, or before and after. */

/** @typedef {import("./view.js").View} View */
/** @typedef {import("./overlay.js").Overlay} Overlay */

/**
 * @typedef {object} Look
 * @property {"overlay" | "alone" | "compare"} view
 * @property {"black" | "transparent"} behind
 * @property {number} opacity 0 to 1
 * @property {boolean} outline
 * @property {boolean} peek whether masks are hidden for now
 * @property {number} divider where before ends and after begins, as a share of the stage's width, 0 to 1
 * @property {ReadonlyMap<number, string>} colours of the visible objects
 * @property {number | null} selected
 */

const OUTLINE_PIXELS = 1.5;
const CHECK_PIXELS = 8;

/**
 * @param {CanvasRenderingContext2D} context of a canvas in device pixels
 * @param {View} view
 * @param {CanvasImageSource} picture
 * @param {Overlay} overlay
 * @param {Look} look
 */
export function drawScene(context, view, picture, overlay, look) {
  clear(context, view);
  if (look.peek) drawPicture(context, view, picture);
  else if (look.view === "alone") drawAlone(context, view, picture, overlay, look);
  else if (look.view === "compare") drawCompared(context, view, picture, overlay, look);
  else drawOver(context, view, picture, overlay, look);
}

/**
 * Draws a picture without any objects.
 * @param {CanvasRenderingContext2D} context of a canvas in device pixels
 * @param {View} view
 * @param {CanvasImageSource} picture
 */
export function drawPlainly(context, view, picture) {
  clear(context, view);
  drawPicture(context, view, picture);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 */
function clear(context, view) {
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  context.imageSmoothingEnabled = !view.exact;
  context.imageSmoothingQuality = "high";
}

/**
 * Makes the pixel of the frame the unit of the context.
 * @param {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} context
 * @param {View} view
 */
function useFrameUnits(context, view) {
  const ratio = view.deviceRatio;
  context.setTransform(view.deviceScale, 0, 0, view.deviceScale, view.originX * ratio, view.originY * ratio);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {CanvasImageSource} picture
 */
function drawPicture(context, view, picture) {
  useFrameUnits(context, view);
  context.drawImage(picture, 0, 0, view.frame.width, view.frame.height);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {CanvasImageSource} picture
 * @param {Overlay} overlay
 * @param {Look} look
 */
function drawOver(context, view, picture, overlay, look) {
  drawPicture(context, view, picture);
  context.globalAlpha = look.opacity;
  context.drawImage(overlay.canvas, 0, 0);
  context.globalAlpha = 1;
  if (look.outline) overlay.strokeOutlines(context, look.colours, OUTLINE_PIXELS / view.scale, view.exact);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {CanvasImageSource} picture
 * @param {Overlay} overlay
 * @param {Look} look
 */
function drawCompared(context, view, picture, overlay, look) {
  const x = Math.round(look.divider * context.canvas.width);
  drawPicture(context, view, picture);
  context.save();
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.beginPath();
  context.rect(x, 0, context.canvas.width - x, context.canvas.height);
  context.clip();
  drawOver(context, view, picture, overlay, look);
  context.restore();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {CanvasImageSource} picture
 * @param {Overlay} overlay
 * @param {Look} look
 */
function drawAlone(context, view, picture, overlay, look) {
  drawBehind(context, view, look.behind);
  const only = look.selected === null ? look.colours : new Map([[look.selected, "#000000"]]);
  const cut = cutOut(overlay, only, picture);
  useFrameUnits(context, view);
  context.drawImage(cut, 0, 0, view.frame.width, view.frame.height);
}

/**
 * The picture's pixels of the objects; everything else is transparent.
 * @param {Overlay} overlay
 * @param {ReadonlyMap<number, string>} shown
 * @param {CanvasImageSource} picture
 * @returns {OffscreenCanvas}
 */
function cutOut(overlay, shown, picture) {
  const { labels, width, height } = overlay.map;
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const words = Uint32Array.from({ length: 256 }, (_, id) => (shown.has(id) ? 0xff000000 : 0));
  for (let at = 0; at < labels.length; at++) pixels[at] = words[labels[at]];
  context.putImageData(image, 0, 0);
  context.globalCompositeOperation = "source-in";
  context.drawImage(picture, 0, 0, width, height);
  return canvas;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {"black" | "transparent"} behind
 */
function drawBehind(context, view, behind) {
  const ratio = view.deviceRatio;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const { originX, originY, scale, frame } = view;
  const [width, height] = [frame.width * scale, frame.height * scale];
  context.fillStyle = behind === "black" ? "#000000" : checks(context);
  context.fillRect(originX, originY, width, height);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @returns {CanvasPattern} grey and white squares, which stand for transparency
 */
function checks(context) {
  const tile = new OffscreenCanvas(2 * CHECK_PIXELS, 2 * CHECK_PIXELS);
  const tileContext = /** @type {OffscreenCanvasRenderingContext2D} */ (tile.getContext("2d"));
  tileContext.fillStyle = "#ffffff";
  tileContext.fillRect(0, 0, tile.width, tile.height);
  tileContext.fillStyle = "#c9ccd1";
  tileContext.fillRect(0, 0, CHECK_PIXELS, CHECK_PIXELS);
  tileContext.fillRect(CHECK_PIXELS, CHECK_PIXELS, CHECK_PIXELS, CHECK_PIXELS);
  return /** @type {CanvasPattern} */ (context.createPattern(tile, "repeat"));
}
