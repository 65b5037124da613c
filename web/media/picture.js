// A picture or photo for the call, shrunk before it is sent.

const MAX_SIDE_PX = 1536; // the server keeps no larger one
const MAX_BYTES = 400_000;
const QUALITIES = [0.9, 0.8, 0.65, 0.5, 0.35];
// Files above this are not opened: a tab would run out of memory.
const MAX_FILE_BYTES = 50_000_000;

/** A file can't be sent; the message is a sentence for the person. */
export class NotAPicture extends Error {}

/**
 * @param {File} file
 * @returns {Promise<Blob>} a JPEG, upright, at most 1536 px on its longer side
 * @throws {NotAPicture}
 */
export async function smallPicture(file) {
  const name = file.name || "The file";
  if (file.type && !file.type.startsWith("image/")) {
    throw new NotAPicture(`${name} is not a picture.`);
  }
  if (file.size > MAX_FILE_BYTES) {
    throw new NotAPicture(`${name} is too large: at most 50 MB can be sent.`);
  }
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new NotAPicture(`This browser can't read ${name}: send a JPEG or PNG file.`);
  }
  const scale = Math.min(1, MAX_SIDE_PX / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = "white"; // behind what is transparent
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  for (const quality of QUALITIES) {
    const blob = await jpeg(canvas, quality);
    if (blob && blob.size <= MAX_BYTES) return blob;
  }
  throw new NotAPicture(`${name} could not be made small enough to send.`);
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} quality
 * @returns {Promise<Blob|null>}
 */
function jpeg(canvas, quality) {
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
}
