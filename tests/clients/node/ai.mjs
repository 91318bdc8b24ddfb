import { createFal } from "@ai-sdk/fal";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { createReplicate } from "@ai-sdk/replicate";
import { generateImage } from "ai";
import { asked as told, picture, pointed, tell } from "./telling.mjs";

// What the program says for each: the line it was told, or nothing where variables are enough.
const made = {
  "ai-sdk": () => createOpenAI(),
  "ai-sdk-compatible": (line) => eval(line),
  "ai-sdk-fal": (line) => eval(line),
  "ai-sdk-replicate": (line) => eval(line),
};
const seedream = { "ai-sdk-fal": "fal-ai/bytedance/seedream/v4.5/text-to-image" };

const stories = {};
const failures = {};
for (const [client, { at, line }] of Object.entries(told.clients)) {
  const here = made[client](pointed(at));
  const there = made[client](pointed(line));
  const model = seedream[client] ?? "bytedance/seedream-4.5";
  const draw = async (provider, name, prompt, more = {}) => {
    const asked = { model: provider.imageModel(name), prompt: `${prompt} of ${client}`, ...more };
    const { image, warnings } = await generateImage(asked);
    return picture(Buffer.from(image.uint8Array), { type: image.mediaType, warnings: warnings.length });
  };
  Object.assign(stories, {
    [`${client} success`]: () => draw(here, model, "a seal"),
    [`${client} unknown`]: () => draw(here, "nobody/knows-this", "a seal"),
    [`${client} forbidden`]: () => draw(here, model, "a forbidden seal"),
    [`${client} storm`]: () => draw(there, model, "a storm"),
    [`${client} large`]: () => draw(here, "acme/still", "a large seal"),
  });
  // Told last, for it teaches the gateway whom to ask first; sent once, for this client takes no word that it is final.
  failures[`${client} failure`] = () => draw(here, model, "a broken seal", { maxRetries: 0 });
}
const errors = (error) => {
  const last = error.lastError ?? error;
  return { status: last.statusCode, body: last.responseBody };
};
await tell(stories, errors);
await tell(failures, errors);
