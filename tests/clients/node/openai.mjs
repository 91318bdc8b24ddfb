import { createReadStream } from "node:fs";
import OpenAI from "openai";
import { asked, loaded, picture, pointed, tell } from "./telling.mjs";

pointed(asked.at);
const at = new OpenAI();
pointed(asked.line);
const line = new OpenAI();

const model = "bytedance/seedream-4.5";
const bytes = (made) => picture(Buffer.from(made.data[0].b64_json, "base64"), { by: made.tidegate?.provider });

await tell(
  {
    success: async () => bytes(await at.images.generate({ model, prompt: "a seal", size: "2048x2048" })),
    link: async () => {
      const made = await at.images.generate({ model, prompt: "a linked seal", response_format: "url" });
      return loaded(made.data[0].url);
    },
    failure: async () => bytes(await at.images.generate({ model, prompt: "a broken seal" })),
    refused: async () => bytes(await at.images.generate({ model, prompt: "a refused seal", n: 11 })),
    forbidden: async () => bytes(await at.images.generate({ model, prompt: "a forbidden seal" })),
    storm: async () => bytes(await line.images.generate({ model, prompt: "a seal in a storm" })),
    large: async () => bytes(await at.images.generate({ model: "acme/still", prompt: "a large seal" })),
    // Sent as a stream: in pieces, with no length.
    edited: async () =>
      bytes(await at.images.edit({ model: "acme/still", image: createReadStream(asked.file), prompt: "a large walrus" })),
    models: async () => {
      const ids = [];
      for await (const each of at.models.list()) ids.push(each.id);
      return { known: ids.includes(model), by: (await at.models.retrieve(model)).owned_by };
    },
    film: async () => {
      let made = await at.videos.create({ model: "kling/kling-3-pro", prompt: "waves", seconds: "5" });
      while (["queued", "in_progress"].includes(made.status)) {
        await new Promise((done) => setTimeout(done, 100));
        made = await at.videos.retrieve(made.id);
      }
      const film = await at.videos.downloadContent(made.id);
      return picture(Buffer.from(await film.arrayBuffer()), { status: made.status });
    },
    stream: async () => {
      const stream = await at.images.generate({ model, prompt: "a streamed seal", stream: true });
      const types = [];
      for await (const each of stream) types.push(each.type);
      return { types };
    },
  },
  (error) => ({ status: error.status, code: error.code, param: error.param }),
);
