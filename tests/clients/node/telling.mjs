// What every story here tells: a picture by its hash, or an error by its name, status and words.
import { createHash } from "node:crypto";

export const asked = JSON.parse(process.argv[2]);

/** Sets what `tidegate env` says for a place, and gives the line it says. */
export function pointed(place) {
  Object.assign(process.env, place.variables);
  return place.line;
}

export function picture(bytes, more = {}) {
  return { sha256: createHash("sha256").update(bytes).digest("hex"), size: bytes.length, ...more };
}

export async function loaded(url, more = {}) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return picture(Buffer.from(await answer.arrayBuffer()), more);
}

/** Runs stories by name, all at once, and prints what came of each as one object. */
export async function tell(stories, read) {
  const told = await Promise.all(
    Object.entries(stories).map(async ([name, story]) => {
      try {
        return [name, await story()];
      } catch (error) {
        return [name, { error: error.name, message: error.message, ...read(error) }];
      }
    }),
  );
  process.stdout.write(JSON.stringify(Object.fromEntries(told)) + "\n");
}
