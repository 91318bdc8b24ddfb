import { readFileSync } from "node:fs";
import Replicate from "replicate";
import { asked, picture, pointed, tell } from "./telling.mjs";

const replicate = eval(pointed(asked.at));
const model = "bytedance/seedream-4.5";

const bytes = async (output) => {
  const file = Array.isArray(output) ? output[0] : output;
  return picture(Buffer.from(await (await file.blob()).arrayBuffer()), { kind: file.constructor.name });
};

await tell(
  {
    success: async () => bytes(await replicate.run(model, { input: { prompt: "a seal", aspect_ratio: "16:9" } })),
    polled: async () => {
      const begun = await replicate.predictions.create({ model, input: { prompt: "a polled seal" } });
      const ended = await replicate.wait(begun, { interval: 50 });
      return { begun: begun.status, ended: ended.status, by: ended.metrics.provider };
    },
    versioned: async () => {
      const { latest_version } = await replicate.models.get("bytedance", "seedream-4.5");
      return bytes(await replicate.run(`${model}:${latest_version.id}`, { input: { prompt: "a seal of a version" } }));
    },
    failure: async () => bytes(await replicate.run(model, { input: { prompt: "a broken seal" } })),
    refused: async () => bytes(await replicate.run(model, { input: { prompt: "a refused seal", aspect_rato: "1:1" } })),
    forbidden: async () => bytes(await replicate.run(model, { input: { prompt: "a forbidden seal" } })),
    large: async () => bytes(await replicate.run("acme/still", { input: { prompt: "a large seal" } })),
    edited: async () => {
      const file = new Blob([readFileSync(asked.file)], { type: "image/png" });
      return bytes(await replicate.run("acme/still", { input: { prompt: "a large walrus", images: [file] } }));
    },
    canceled: async () => {
      const begun = await replicate.predictions.create({ model: "google/veo-3.1", input: { prompt: "a canceled seal" } });
      return { status: (await replicate.predictions.cancel(begun.id)).status };
    },
  },
  (error) => ({ status: error.response?.status }),
);
