import { fal } from "@fal-ai/client";
import { readFileSync } from "node:fs";
import { asked, loaded, pointed, tell } from "./telling.mjs";

const model = "fal-ai/bytedance/seedream/v4.5/text-to-image";
const first = (done) => loaded(done.data.images[0].url, { by: done.data.tidegate?.provider });
const errors = (error) => ({ status: error.status, type: error.body?.error_type });

eval(pointed(asked.at));
const stories = {
  success: async () => {
    const input = { prompt: "a seal", image_size: "landscape_16_9" };
    return first(await fal.subscribe(model, { input, pollInterval: 50 }));
  },
  run: async () => first(await fal.run(model, { input: { prompt: "a run seal" } })),
  queued: async () => {
    const { request_id } = await fal.queue.submit(model, { input: { prompt: "a queued seal" } });
    const status = await fal.queue.subscribeToStatus(model, { requestId: request_id, pollInterval: 50, logs: true });
    const done = await fal.queue.result(model, { requestId: request_id });
    return { status: status.status, pictures: done.data.images.length, same: done.requestId === request_id };
  },
  failure: async () => first(await fal.subscribe(model, { input: { prompt: "a broken seal" }, pollInterval: 50 })),
  refused: async () => first(await fal.run(model, { input: { prompt: "a refused seal", image_sze: "square" } })),
  forbidden: async () => first(await fal.subscribe(model, { input: { prompt: "a forbidden seal" }, pollInterval: 50 })),
  large: async () => first(await fal.subscribe("acme/still", { input: { prompt: "a large seal" }, pollInterval: 50 })),
  edited: async () => {
    const url = await fal.storage.upload(new Blob([readFileSync(asked.file)], { type: "image/png" }));
    const input = { prompt: "a large walrus", images: [url] };
    return first(await fal.subscribe("acme/still", { input, pollInterval: 50 }));
  },
  canceled: async () => {
    const video = "fal-ai/kling-video/v3/pro/text-to-video";
    const { request_id } = await fal.queue.submit(video, { input: { prompt: "a canceled seal" } });
    await fal.queue.cancel(video, { requestId: request_id });
    return { canceled: true };
  },
};
const storm = {
  storm: async () => {
    eval(pointed(asked.line));
    return first(await fal.subscribe(model, { input: { prompt: "a seal in a storm" }, pollInterval: 50 }));
  },
};
await tell(stories, errors);
await tell(storm, errors);
