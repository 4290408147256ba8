// What the official SDK learns of subscriptions that end with their token or with the right to them, against a fresh node in
// development mode. Run by sessions_test.go, which names the port:
//   node sdk-sessions.mjs PORT
import assert from "node:assert/strict";
import sdk from "kuzzle-sdk";

const { Kuzzle, WebSocket } = sdk;

const port = Number(process.argv[2]);
const credentials = { username: "ann", password: "ann-Secret-1" };
const at = ["sessions", "books"];

// connect gives an SDK on a fresh connection; whatever it could not make sense of goes into errors.
async function connect() {
  const kuzzle = new Kuzzle(new WebSocket("127.0.0.1", { port }));
  const errors = [];
  for (const event of ["networkError", "queryError", "discarded"]) kuzzle.on(event, (error) => errors.push(error));
  await kuzzle.connect();
  return { kuzzle, errors };
}

// listen subscribes; heard are the messages since.
async function listen(kuzzle) {
  const heard = [];
  const room = await kuzzle.realtime.subscribe(...at, {}, (message) => heard.push(message));
  return { room, heard };
}

async function until(what, condition) {
  for (const deadline = Date.now() + 20_000; !(await condition()); await new Promise((resolve) => setTimeout(resolve, 20))) {
    assert.ok(Date.now() < deadline, what);
  }
}

const expiry = (kuzzle) => new Promise((resolve) => kuzzle.on("tokenExpired", resolve));

const { kuzzle: watcher, errors: watcherErrors } = await connect();
await watcher.security.createUser("ann", { content: { profileIds: ["default"] }, credentials: { local: credentials } });

// The token ends, and with it the subscription; the same client comes back.
const { kuzzle, errors } = await connect();
await kuzzle.auth.login("local", credentials, "3s");
const expired = expiry(kuzzle);
const first = await listen(kuzzle);
assert.equal(await watcher.realtime.count(first.room), 1);
await expired;
assert.equal(kuzzle.jwt, null);
assert.equal(await watcher.realtime.count(first.room), 0);
await kuzzle.auth.login("local", credentials, "3s");

// A refresh takes the subscription along: it outlives a token that was made later.
const second = await listen(kuzzle);
let ended = false;
kuzzle.on("tokenExpired", () => { ended = true; });
await kuzzle.auth.refreshToken({ expiresIn: "1h" });
const { kuzzle: clock, errors: clockErrors } = await connect();
const ticked = expiry(clock);
await clock.auth.login("local", credentials, "3s");
await ticked;
await watcher.realtime.publish(...at, { title: "still here" });
await until("a message after the refresh", () => second.heard.length === 1);
assert.equal(ended, false);

// Logging out ends the own subscriptions too, without a word.
await kuzzle.auth.logout();
assert.equal(await watcher.realtime.count(second.room), 0);
assert.equal(ended, false);

// Rights are taken away from anonymous: the SDK passes over the notice.
const third = await listen(kuzzle);
const { kuzzle: root, errors: rootErrors } = await connect();
const admin = { username: "root", password: "root-Secret-1" };
await root.query({
  controller: "security", action: "createFirstAdmin", _id: "root", reset: true,
  body: { content: {}, credentials: { local: admin } },
});
await root.auth.login("local", admin);
await until("anonymous to lose the subscription", async () => (await root.realtime.count(third.room)) === 0);
assert.equal((await kuzzle.auth.getCurrentUser())._id, "-1");
assert.equal(ended, false);
assert.equal(third.heard.length, 0);

for (const one of [watcher, kuzzle, clock, root]) one.disconnect();
assert.deepEqual([watcherErrors, errors, clockErrors, rootErrors], [[], [], [], []]);
console.log("sessions: ok");
