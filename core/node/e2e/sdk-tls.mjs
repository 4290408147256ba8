// What the official SDK does against a node that speaks TLS. Run by tls_test.go, which names the port and has Node.js trust the
// authority of the tests (NODE_EXTRA_CA_CERTS):
//   node sdk-tls.mjs PORT
import assert from "node:assert/strict";
import sdk from "kuzzle-sdk";

const { Kuzzle, Http, WebSocket } = sdk;

const port = Number(process.argv[2]);

for (const Protocol of [Http, WebSocket]) {
  const kuzzle = new Kuzzle(new Protocol("localhost", { port, ssl: true }));
  const errors = [];
  kuzzle.on("networkError", (error) => errors.push(error));
  await kuzzle.connect();
  assert.ok(Math.abs((await kuzzle.server.now()) - Date.now()) < 60000, "server.now");
  if (Protocol === WebSocket) {
    await kuzzle.index.create("tls");
    await kuzzle.collection.create("tls", "letters", {});
    let hear;
    const heard = new Promise((resolve) => { hear = resolve; });
    await kuzzle.realtime.subscribe("tls", "letters", {}, hear);
    await kuzzle.realtime.publish("tls", "letters", { text: "x".repeat(100_000) }); // disconnecting before its answer would be an error
    assert.equal((await heard).result._source.text.length, 100_000);
  }
  assert.deepEqual(errors, []);
  kuzzle.disconnect();
}
