// The official SDK over WebSocket when the node ends and comes back on the same port and data. Run by realtime_test.go, which
// names the port of a fresh node in development mode and does what the lines "kill", "stop" and "start" say:
//   node reconnect.mjs PORT
import assert from "node:assert/strict";
import readline from "node:readline";
import sdk from "kuzzle-sdk";
import { connect, hears, listen, until } from "./clients.mjs";

const { Observer } = sdk;
const at = ["home", "books"];
const answers = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

// node has the node killed, stopped or started, and waits for it.
async function node(what) {
  console.log(what);
  assert.equal((await answers.next()).value, "done");
}

// signIn gives an SDK that has logged in; events are those of its life, in order.
async function signIn(name, options, expiresIn) {
  const { kuzzle } = await connect(options);
  await kuzzle.auth.login("local", { username: name, password: `${name}-Secret-1` }, expiresIn);
  const events = [];
  for (const event of ["disconnected", "networkError", "reconnected", "reconnectionError", "tokenExpired", "reAuthenticated", "discarded", "callbackError"]) {
    kuzzle.on(event, () => events.push(event));
  }
  return { kuzzle, events };
}

const once = (kuzzle, event) => new Promise((resolve) => kuzzle.once(event, resolve));
const list = async (kuzzle) => (await kuzzle.query({ controller: "realtime", action: "list" })).result;

async function furnish() {
  const { kuzzle } = await connect();
  const credentials = (name) => ({ local: { username: name, password: `${name}-Secret-1` } });
  await kuzzle.query({ controller: "security", action: "createFirstAdmin", _id: "root", reset: true, body: { content: {}, credentials: credentials("root") } });
  await assert.rejects(listen(kuzzle, at, {}), { status: 401 }, "from here on rights decide");
  await kuzzle.auth.login("local", credentials("root").local);
  for (const name of ["ann", "bob"]) {
    await kuzzle.security.createUser(name, { content: { profileIds: ["admin"] }, credentials: credentials(name) });
  }
  await kuzzle.index.create(at[0]);
  await kuzzle.collection.create(...at, { mappings: { properties: { year: { type: "integer" } } } });
  kuzzle.disconnect();
}

// hearAgain waits until whatever an SDK subscribed to again is heard: the node may let it into a room before the SDK knows.
async function hearAgain({ document }, at, live, subscriptions) {
  let probe = 0;
  await until("everybody to hear again", async () => {
    await document.update(...at, live._id, { probe: ++probe });
    return live._source.probe > 0 && subscriptions.every(({ heard }) => heard.some(({ result }) => result._source?.probe > 0));
  }, () => [live, subscriptions]);
  await until("the last probe", () => subscriptions.every(({ heard }) => heard.at(-1).result._source?.probe === probe));
  for (const { heard } of subscriptions) heard.length = 0;
}

async function comesBack(way) {
  const { kuzzle, events } = await signIn("ann", { offlineMode: "auto" });
  const { kuzzle: plain, events: plainEvents } = await signIn("bob");
  const { kuzzle: gone } = await signIn("bob", { autoResubscribe: false });
  const { kuzzle: writer } = await signIn("root");
  const { document } = kuzzle;
  const token = kuzzle.jwt;
  const id = (name) => `${way}-${name}`;

  const old = await listen(kuzzle, at, { range: { year: { lt: 1900 } } });
  const volatile = { name: "ann" }; // the room keeps that of the first, and both come back at once
  const all = await listen(kuzzle, at, {}, { volatile });
  const others = await listen(kuzzle, at, {}, { volatile, subscribeToSelf: false });
  const users = await listen(plain, at, {}, { users: "out" });
  const left = await listen(gone, at, { exists: "left" });
  await document.create(...at, { year: 1 }, id("live"));
  const observer = new Observer(plain);
  const live = await observer.get(...at, id("live"));
  const rooms = await list(writer);
  assert.deepEqual([rooms.home.books[all.room], rooms.home.books[left.room], Object.keys(rooms.home.books).length], [2, 1, 4]);

  // The connection ends while requests are under way: each is answered, and then done, or refused.
  const storm = [...Array(200).keys()].map((n) => plain.document.create(...at, { year: 2000 }, id(`storm-${n}`)));
  const settled = Promise.allSettled(storm);
  const lost = [kuzzle, plain, gone, writer].map((one) => once(one, "disconnected"));
  await storm[20];
  await node(way);
  await Promise.all(lost);
  const outcomes = await settled;
  const those = (hold) => outcomes.flatMap((outcome, n) => (hold(outcome) ? [id(`storm-${n}`)] : []));
  const done = those(({ status }) => status === "fulfilled");
  const refused = those(({ reason }) => reason?.id === "api.process.shutting_down");

  await assert.rejects(plain.server.now(), /not connected/i, "without a queue");
  await assert.rejects(document.get(...at, id("live"), { queuable: false }), /not connected/i);
  const queued = [
    document.create(...at, { year: 1 }, id("queued")),
    ...[2, 3].map((year) => document.update(...at, id("queued"), { year })),
    document.get(...at, id("live")),
    kuzzle.realtime.publish(...at, { year: 2001 }, { _id: id("published") }),
    document.get(...at, "none"),
  ];
  const replies = Promise.allSettled(queued);
  assert.deepEqual(kuzzle.offlineQueue.map(({ request }) => request.action), ["create", "update", "update", "get", "publish", "get"]);
  const back = [kuzzle, plain, gone, writer].map((one) => once(one, "reconnected"));
  await node("start");
  await Promise.all(back);

  const [created, second, third, read, published, none] = await replies;
  assert.deepEqual([created.value._version, second.value._version, third.value._version], [1, 2, 3], "in order");
  assert.equal(read.value._source.year, 1);
  assert.equal(published.value, true);
  assert.equal(none.reason.id, "services.storage.not_found");
  assert.equal(kuzzle.offlineQueue.length, 0);

  // Both are who they were, without logging in.
  assert.equal(kuzzle.jwt, token);
  assert.equal((await kuzzle.auth.getCurrentUser())._id, "ann");
  assert.equal((await plain.auth.getCurrentUser())._id, "bob");
  assert.deepEqual((await document.mGet(...at, done)).errors, [], "what was answered is there");
  assert.deepEqual((await document.mGet(...at, refused)).successes, [], "what was refused is not");
  for (const seen of [events, plainEvents]) assert.deepEqual([...new Set(seen)].filter((event) => event !== "discarded"), ["disconnected", "networkError", "reconnected"]);

  // The same rooms with the same ids, but for the one whose SDK does not want it.
  delete rooms.home.books[left.room];
  await until("the rooms", async () => JSON.stringify(sorted(await list(writer))) === JSON.stringify(sorted(rooms)), () => rooms);
  await hearAgain(writer, at, live, [old, all, others, users]);
  await document.create(...at, { year: 1800 }, id("old"));
  await writer.document.update(...at, id("live"), { year: 1801 });
  await writer.document.create(...at, { left: 1 }, id("left"));
  await until("the live document", () => live._source.year === 1801, () => live);
  const of = ({ action, result }) => `${action} ${result._id ?? result.count}`;
  const wanted = [`create ${id("old")}`, `update ${id("live")}`, `create ${id("left")}`];
  await hears("all", all.heard, wanted, of);
  await hears("old", old.heard, wanted.slice(0, 2), of);
  await hears("others", others.heard, wanted.slice(1), of);
  await hears("users", users.heard, wanted, of);
  await hears("left", left.heard, [], of);

  // Rooms are left by the ids that they had before.
  await kuzzle.realtime.unsubscribe(old.room);
  await kuzzle.realtime.unsubscribe(all.room);
  await assert.rejects(gone.realtime.unsubscribe(left.room), { status: 412 });
  await hears("users", users.heard, [...wanted, "unsubscribe 1"], of);
  assert.equal(users.heard[3].volatile.name, "ann");
  await observer.stop();
  await plain.realtime.unsubscribe(users.room);
  assert.deepEqual((await list(writer)).home?.books ?? {}, {});

  // Who holds the same token ends the session after the restart.
  const last = await listen(kuzzle, at, {});
  writer.jwt = token;
  await writer.auth.logout();
  assert.equal(await plain.realtime.count(last.room), 0);
  await assert.rejects(document.get(...at, id("live")), { id: "security.token.invalid" });

  for (const one of [kuzzle, plain, gone, writer]) one.disconnect();
  console.log(`after ${way}: ok, ${done.length} requests were done, ${refused.length} refused`);
}

// What is asked while the node is away, under every option of the queue.
async function queues() {
  const notConnected = "not connected", tooMany = "too many queued requests", tooLong = "queued time exceeded";
  const ways = [
    [{}, [notConnected, notConnected, notConnected, notConnected]],
    [{ offlineMode: "auto" }, [1, 2, 3, true]],
    [{ autoQueue: true }, [1, 2, 3, true]], // replayed by hand
    [{ offlineMode: "auto", queueMaxSize: 2 }, [tooMany, tooMany, 3, true]],
    [{ offlineMode: "auto", queueTTL: 1 }, [tooLong, tooLong, tooLong, tooLong]],
    [{ offlineMode: "auto", queueFilter: ({ action }) => action === "create" }, [1, 2, 3, notConnected]],
  ];
  const clients = await Promise.all(ways.map(async ([options, wanted]) => ({ ...(await signIn("ann", options)), options, wanted })));
  const all = (event) => Promise.all(clients.map(({ kuzzle }) => once(kuzzle, event)));
  const lost = all("disconnected");
  await node("kill");
  await lost;
  const why = ({ message }) => [notConnected, tooMany, tooLong].find((reason) => message.includes(reason)) ?? message;
  for (const [n, client] of clients.entries()) {
    const { document } = client.kuzzle;
    const creates = [1, 2, 3].map((year) => document.create(...at, { year }, `queue-${n}-${year}`).then(({ _source }) => _source.year, why));
    client.replies = Promise.all([...creates, document.exists(...at, `queue-${n}-3`).then((exists) => exists, why)]);
  }
  const back = all("reconnected");
  await node("start");
  await back;
  clients[2].kuzzle.playQueue();
  for (const { kuzzle, options, wanted, replies } of clients) {
    assert.deepEqual(await replies, wanted, JSON.stringify(options));
    assert.equal(kuzzle.offlineQueue.length, 0);
    kuzzle.disconnect();
  }
  console.log("queues: ok");
}

// Tokens that expire while the node is away, and soon after it came back.
async function sessions() {
  const { kuzzle: watcher } = await signIn("root");
  const able = await signIn("ann", { offlineMode: "auto" }, "5s");
  const unable = await signIn("ann", { offlineMode: "auto" }, "5s");
  const without = await signIn("ann", { offlineMode: "auto" }, "5s");
  const expired = Date.now() + 5000;
  const lives = ["2s", "1h"]; // of the tokens to come
  able.kuzzle.authenticator = () => able.kuzzle.auth.login("local", { username: "ann", password: "ann-Secret-1" }, lives.shift());
  unable.kuzzle.authenticator = async () => { throw new Error("the password is forgotten"); };
  for (const [who, one] of Object.entries({ able, unable, without })) Object.assign(one, await listen(one.kuzzle, at, { equals: { to: who } }));

  await node("stop");
  const asked = able.kuzzle.auth.getCurrentUser();
  await new Promise((resolve) => setTimeout(resolve, expired - Date.now()));
  await node("start");
  assert.equal((await asked)._id, "ann", "the queue waits for the login");
  for (const { kuzzle, events, room } of [unable, without]) {
    await until("the reconnection to fail", () => events.includes("reconnectionError"), () => events);
    assert.deepEqual([kuzzle.connected, events.includes("reconnected"), await watcher.realtime.count(room)], [false, false, 0]);
  }
  await until("the login after the expiry", () => able.events.includes("reAuthenticated"), () => able.events);
  await until("the subscription to come back", async () => (await watcher.realtime.count(able.room)) === 1, () => able.events);
  assert.equal(lives.length, 0);
  for (const to of ["able", "unable", "without"]) await watcher.realtime.publish(...at, { to });
  await hears("able", able.heard, ["able"], ({ result }) => result._source.to);
  for (const kuzzle of [able.kuzzle, unable.kuzzle, without.kuzzle, watcher]) kuzzle.disconnect();
  console.log("sessions: ok");
}

const sorted = (value) => (value && typeof value === "object" && !Array.isArray(value)
  ? Object.fromEntries(Object.entries(value).sort().map(([key, one]) => [key, sorted(one)])) : value);

await furnish();
for (const way of ["kill", "stop"]) await comesBack(way);
await queues();
await sessions();
answers.return();
process.stdin.destroy();
