// What the scripts about realtime share.
import assert from "node:assert/strict";
import sdk from "kuzzle-sdk";

const { Kuzzle, WebSocket } = sdk;

export const port = Number(process.argv[2]);

// connect gives an SDK on a fresh connection; errors are whatever it could not make sense of.
export async function connect(options, socket) {
  const kuzzle = new Kuzzle(new WebSocket("127.0.0.1", { port, reconnectionDelay: 50, ...socket }), options);
  const errors = [];
  for (const event of ["networkError", "discarded", "callbackError"]) kuzzle.on(event, (error) => errors.push(error));
  await kuzzle.connect();
  return { kuzzle, errors };
}

// listen subscribes; heard are the messages since.
export async function listen(kuzzle, at, filter, options) {
  const heard = [];
  const room = await kuzzle.realtime.subscribe(...at, filter, (message) => heard.push(message), options);
  return { room, heard };
}

// until waits for a condition, which may be a promise; state tells what there is instead.
export async function until(what, holds, state = () => "") {
  for (const end = Date.now() + 20_000; !(await holds()); await new Promise((resolve) => setTimeout(resolve, 5))) {
    assert.ok(Date.now() < end, `${what}: ${JSON.stringify(state())}`);
  }
}

// hears waits for as many messages as are wanted and compares what `of` makes of them.
export async function hears(what, heard, wanted, of = (message) => message) {
  await until(what, () => heard.length >= wanted.length, () => heard.map(of));
  assert.deepEqual(heard.map(of), wanted, what);
}
