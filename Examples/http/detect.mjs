// Reads photos from JavaScript: Node.js 20 or newer, and with another way to get at the files any browser.
//
//     node detect.mjs PHOTO…
//
// MIEN_URL is the server (http://127.0.0.1:8080), MIEN_TOKEN its token, if it asks for one. A page of another origin needs
// `mien serve --cors-origin`.
import { openAsBlob } from "node:fs";
import { basename } from "node:path";

const url = process.env.MIEN_URL ?? "http://127.0.0.1:8080";
const headers = process.env.MIEN_TOKEN ? { Authorization: `Bearer ${process.env.MIEN_TOKEN}` } : {};

/** The server's answer to a form with all photos: a list in their order. */
async function detect(paths, attempts = 5) {
  const form = new FormData();
  for (const path of paths) {
    try {
      form.append("pictures", await openAsBlob(path), basename(path));
    } catch {
      throw Object.assign(new Error("cannot be read"), { path });
    }
  }
  const answer = await fetch(`${url}/v1/detect?minConfidence=0.4`, { method: "POST", headers, body: form });
  if (answer.status === 429 && attempts > 1) {
    // The server is busy, and says when to try again.
    const seconds = Number(answer.headers.get("Retry-After") ?? 1);
    await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
    return detect(paths, attempts - 1);
  }
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error.message);
  return body;
}

const paths = process.argv.slice(2);
if (paths.length === 0) {
  console.error("usage: node detect.mjs PHOTO…");
  process.exit(64);
}
try {
  for (const picture of await detect(paths)) {
    if (picture.error) {
      console.error(`${picture.file}: ${picture.error}`);
      process.exitCode = 1;
    } else if (picture.faces.length === 0) {
      console.log(`${picture.file}\tno face`);
    }
    for (const face of picture.faces) {
      const sure = face.confident === false ? ` (${face.reason})` : "";
      console.log([picture.file, face.emotion + sure, face.probability.toFixed(3)].join("\t"));
    }
  }
} catch (error) {
  console.error(`${error.path ?? url}: ${error.cause?.message ?? error.message}`);
  process.exitCode = 1;
}
