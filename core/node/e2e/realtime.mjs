// Subscriptions, messages and live documents of the official SDK over WebSocket, against a fresh node in development mode. Run by
// realtime_test.go, which names the port:
//   node realtime.mjs PORT
import assert from "node:assert/strict";
import sdk from "kuzzle-sdk";
import { connect, hears, listen, until } from "./clients.mjs";

const { Observer } = sdk;
const index = "sdk-realtime";
const now = { refresh: "wait_for" };

const { kuzzle: writer, errors: writerErrors } = await connect({ volatile: { from: "writer" } });
const { kuzzle, errors } = await connect();
const { document, bulk, collection, realtime } = writer;
const query = async (kuzzle, request) => (await kuzzle.query(request)).result;
const count = (room) => realtime.count(room);

await writer.index.create(index);
async function fresh(name) {
  await collection.create(index, name, { mappings: { properties: { age: { type: "integer" }, name: { type: "keyword" } } } });
  return [index, name];
}

// All that a message has: nobody is told of what only clients that can resume understand.
const keys = {
  document: ["action", "collection", "controller", "event", "index", "node", "protocol", "requestId", "result", "room", "scope", "status", "timestamp", "type", "volatile"],
  user: ["action", "collection", "controller", "index", "node", "protocol", "result", "room", "status", "timestamp", "type", "user", "volatile"],
};

async function everyActionOnDocuments() {
  const at = await fresh("actions");
  const { heard } = await listen(kuzzle, at, {});
  const { kuzzle: other } = await connect();
  const resumable = { controller: "realtime", action: "subscribe", index: at[0], collection: at[1], body: {}, resumable: true };
  assert.ok((await query(other, resumable)).lastMessageId, "the room is remembered for somebody else");

  const before = Date.now();
  await document.create(...at, { age: 1 }, "a", { volatile: { why: "test" }, requestId: "the-request" });
  await hears("create", heard, [1], () => 1);
  const [first] = heard;
  assert.deepEqual(Object.keys(first).sort(), keys.document);
  assert.deepEqual(
    [first.type, first.status, first.action, first.event, first.scope, first.index, first.collection, first.controller, first.protocol, first.requestId],
    ["document", 200, "create", "write", "in", ...at, "document", "websocket", "the-request"],
  );
  assert.deepEqual(first.volatile, { from: "writer", why: "test", sdkInstanceId: writer.protocol.id, sdkName: writer.sdkName });
  assert.ok(first.timestamp >= before - 5000 && first.timestamp <= Date.now() + 5000, "timestamp");
  const { _kuzzle_info: info, ...content } = first.result._source;
  assert.deepEqual([content, info.author, info.updater], [{ age: 1 }, "-1", null]);
  heard.length = 0;

  const many = (...ids) => ids.map((_id) => ({ _id, body: { age: 2 } }));
  await document.createOrReplace(...at, "a", { age: 2 });
  await document.replace(...at, "a", { age: 3 });
  await document.update(...at, "a", { name: "ann", deep: { er: 1 } });
  await document.upsert(...at, "a", { age: 4 });
  await document.upsert(...at, "b", { age: 1 }, { default: { name: "bob" } });
  await document.deleteFields(...at, "b", ["age"]);
  await document.delete(...at, "b");
  await document.create(...at, {}, "silent", { silent: true });
  await document.mCreate(...at, many("c", "a", "d"));
  await document.mCreateOrReplace(...at, many("c", "e"));
  await document.mReplace(...at, many("c", "none"));
  await document.mUpdate(...at, [{ _id: "d", body: { name: "dan" } }]);
  await document.mUpsert(...at, [{ _id: "d", changes: { age: 9 } }, { _id: "f", changes: { age: 9 } }]);
  await document.mDelete(...at, ["c", "none", "d", "e"], now);
  await document.updateByQuery(...at, { term: { age: 9 } }, { name: "fay" }, now);
  await document.deleteByQuery(...at, { query: { term: { age: 9 } } }, now);
  await bulk.write(...at, { age: 5 }, "w");
  await bulk.write(...at, { age: 6 }, "w", { notify: true });
  await bulk.mWrite(...at, [{ _id: "x", body: {} }], { notify: true });
  await bulk.import(...at, [{ index: { _id: "y" } }, {}]);
  await realtime.publish(...at, { age: 7 });
  await realtime.publish(...at, { age: 8 }, { _id: "z" });
  await collection.truncate(...at);
  await hears("every action", heard, [
    ["replace", "write", "a", { age: 2 }],
    ["replace", "write", "a", { age: 3 }],
    ["update", "write", "a", { age: 3, name: "ann", deep: { er: 1 } }, ["deep.er", "name"]],
    ["update", "write", "a", { age: 4, name: "ann", deep: { er: 1 } }, ["age"]],
    ["create", "write", "b", { age: 1, name: "bob" }],
    ["update", "write", "b", { name: "bob" }, ["age"]],
    ["delete", "delete", "b", { name: "bob" }],
    ["create", "write", "c", { age: 2 }],
    ["create", "write", "d", { age: 2 }],
    ["replace", "write", "c", { age: 2 }],
    ["create", "write", "e", { age: 2 }],
    ["replace", "write", "c", { age: 2 }],
    ["update", "write", "d", { age: 2, name: "dan" }, ["name"]],
    ["update", "write", "d", { age: 9, name: "dan" }, ["age"]],
    ["create", "write", "f", { age: 9 }],
    ["delete", "delete", "c", { age: 2 }],
    ["delete", "delete", "d", { age: 9, name: "dan" }],
    ["delete", "delete", "e", { age: 2 }],
    ["update", "write", "f", { age: 9, name: "fay" }, ["name"]],
    ["delete", "delete", "f", { age: 9, name: "fay" }],
    ["replace", "write", "w", { age: 6 }],
    ["create", "write", "x", {}],
    ["publish", "publish", undefined, { age: 7 }],
    ["publish", "publish", "z", { age: 8 }],
  ], ({ action, event, result: { _id, _source: { _kuzzle_info, ...content }, _updatedFields: fields } }) =>
    [action, event, _id, content, ...(fields ? [fields.sort()] : [])]);
  for (const message of heard) {
    assert.deepEqual(Object.keys(message).sort(), keys.document, message.action);
    assert.equal(message.scope, message.event === "delete" ? "out" : "in");
  }
  other.disconnect();
}

async function scopes() {
  const at = await fresh("scopes");
  const grown = { range: { age: { gte: 18 } } };
  const heard = {};
  for (const scope of ["all", "in", "out", "none"]) ({ heard: heard[scope] } = await listen(kuzzle, at, grown, { scope }));
  await assert.rejects(listen(kuzzle, at, grown, { scope: "both" }), { status: 400, id: "core.realtime.invalid_scope" });
  await assert.rejects(listen(kuzzle, at, grown, { users: "some" }), { status: 400, id: "core.realtime.invalid_users" });
  await assert.rejects(listen(kuzzle, at, { no: 1 }), { status: 400, id: "api.assert.koncorde_dsl_error" });

  await document.create(...at, { age: 10 }, "a");
  await document.update(...at, "a", { age: 20 });
  await document.update(...at, "a", { age: 21 });
  await document.update(...at, "a", { age: 5 });
  await document.update(...at, "a", { age: 6 });
  await document.replace(...at, "a", { age: 30 });
  await document.replace(...at, "a", {});
  await document.createOrReplace(...at, "a", { age: 40 });
  await document.delete(...at, "a");
  await realtime.publish(...at, { age: 50 });
  await realtime.publish(...at, { age: 1 });
  await realtime.publish(...at, { age: 99 });
  const all = ["update in 20", "update in 21", "update out 5", "replace in 30", "replace out undefined", "replace in 40", "delete out 40", "publish in 50", "publish in 99"];
  const of = ({ action, scope, result }) => `${action} ${scope} ${result._source.age}`;
  await hears("scope all", heard.all, all, of);
  await hears("scope in", heard.in, all.filter((one) => one.includes(" in ")), of);
  await hears("scope out", heard.out, all.filter((one) => one.includes(" out ")), of);
  await hears("scope none", heard.none, []);
}

async function users() {
  const at = [index, "users"]; // it need not exist
  const nobody = { nothing: "at all" };
  const heard = {};
  let room;
  for (const who of ["all", "in", "out", "none"]) {
    // Whether it hears of itself hangs on how bytes arrive: the SDK has to have read the answer before.
    ({ room, heard: heard[who] } = await listen(kuzzle, at, nobody, { users: who, subscribeToSelf: false, volatile: { name: "first" } }));
  }
  const { kuzzle: guest, errors } = await connect();
  const seat = { users: "all", volatile: { name: "guest" } };
  const own = await listen(guest, at, nobody, seat);
  assert.equal(own.room, room);
  assert.equal(await count(room), 2);
  await guest.realtime.unsubscribe(room);
  await assert.rejects(guest.realtime.unsubscribe(room), { status: 412, id: "core.realtime.not_subscribed" });
  await listen(guest, at, nobody, seat);
  guest.disconnect();
  await until("the guest to be gone", async () => (await count(room)) === 1);
  await realtime.publish(...at, {});

  const of = ({ user, action, result, volatile }) => `${volatile.name} ${user} by ${action}: ${result.count}`;
  const all = ["guest in by subscribe: 2", "guest out by unsubscribe: 1", "guest in by subscribe: 2", "guest out by unsubscribe: 1"];
  await hears("users all", heard.all, all, of);
  await hears("users in", heard.in, all.filter((one) => one.includes(" in ")), of);
  await hears("users out", heard.out, all.filter((one) => one.includes(" out ")), of);
  await hears("users none", heard.none, []);
  for (const message of heard.all) assert.deepEqual(Object.keys(message).sort(), keys.user);
  assert.deepEqual(heard.all.map((message) => message.protocol), ["websocket", null, "websocket", null]);
  for (const message of heard.all) assert.equal(message.volatile.sdkInstanceId, guest.protocol.id, "that of the subscription");
  assert.deepEqual(errors, []);
}

// Several subscriptions of one connection.
async function sharing() {
  const at = await fresh("sharing");
  const adult = { range: { age: { gte: 18 } } };
  const same = { not: { not: { and: [adult] } } };
  const own = await listen(kuzzle, at, adult);
  const others = await listen(kuzzle, at, same, { subscribeToSelf: false });
  const again = await listen(kuzzle, at, adult);
  const out = await listen(kuzzle, at, adult, { scope: "out" });
  const named = await listen(kuzzle, at, { equals: { name: "ann" } });
  assert.deepEqual([others.room, again.room, out.room], [own.room, own.room, own.room], "one filter, one room");
  assert.notEqual(named.room, own.room);
  assert.equal(await count(own.room), 1);

  await kuzzle.document.create(...at, { age: 20, name: "ann" }, "self");
  await document.create(...at, { age: 21, name: "ann" }, "other");
  await document.update(...at, "other", { age: 1 });
  await kuzzle.realtime.publish(...at, { age: 22 }, { _id: "published" });
  const of = ({ action, result }) => `${action} ${result._id}`;
  const all = ["create self", "create other", "update other", "publish published"];
  await hears("own", own.heard, all, of);
  await hears("again", again.heard, all, of);
  await hears("others", others.heard, all.slice(1, 3), of);
  await hears("out", out.heard, all.slice(2, 3), of);
  await hears("named", named.heard, all.slice(0, 3), of);

  await kuzzle.realtime.unsubscribe(own.room);
  assert.equal(await count(own.room), 0);
  await document.create(...at, { age: 30, name: "ann" }, "later");
  await hears("named", named.heard, [...all.slice(0, 3), "create later"], of);
  for (const { heard } of [own, again]) assert.equal(heard.length, all.length, "nothing after unsubscribe");
}

async function presence() {
  const at = [index, "presence"];
  const { room, heard } = await listen(kuzzle, at, { exists: "name" });
  assert.deepEqual((await query(writer, { controller: "realtime", action: "list" }))[index].presence, { [room]: 1 });
  const joined = await query(writer, { controller: "realtime", action: "join", body: { roomId: room } });
  assert.deepEqual(Object.keys(joined).sort(), ["channel", "roomId"]);
  assert.equal(joined.roomId, room);
  assert.deepEqual((await query(writer, { controller: "realtime", action: "list" }))[index].presence, { [room]: 2 });
  assert.equal(await kuzzle.realtime.count(room), 2);
  assert.equal(await realtime.publish(...at, { name: "ann" }), true);
  await hears("publish", heard, ["ann"], ({ result }) => result._source.name);
  assert.equal(heard[0].room, joined.channel);
  await realtime.unsubscribe(room);
  await kuzzle.realtime.unsubscribe(room);
  assert.equal((await query(writer, { controller: "realtime", action: "list" }))[index]?.presence, undefined);
  assert.equal(await realtime.publish(...at, { name: "bob" }), true, "whether or not anybody listens");
  assert.equal(await count(room), 0);
  await assert.rejects(query(kuzzle, { controller: "realtime", action: "join", body: { roomId: room } }), { status: 404, id: "core.realtime.room_not_found" });
}

async function liveDocuments() {
  const at = await fresh("live");
  const rooms = async () => (await query(writer, { controller: "realtime", action: "list" }))[index]?.live ?? {};
  await document.mCreate(...at, [...Array(25).keys()].map((age) => ({ _id: `d${age}`, body: { age, name: "old" } })), now);
  const observer = new Observer(kuzzle);
  assert.equal(observer.mode, "realtime");

  const one = await observer.get(...at, "d1");
  const { successes: [two, three], errors: missing } = await observer.mGet(...at, ["d2", "d3", "none"]);
  assert.deepEqual(missing, ["none"]);
  const four = await observer.observe(...at, await kuzzle.document.get(...at, "d4"));
  await assert.rejects(observer.get(...at, "none"), { status: 404 });
  await document.update(...at, "d1", { name: "new" });
  await document.mUpdate(...at, [{ _id: "d2", body: { age: 22 } }], now);
  await document.replace(...at, "d3", { age: 33 });
  await document.delete(...at, "d4");
  await until("live documents", () => one._source.name === "new" && two._source.age === 22 && three._source.age === 33 && four.deleted,
    () => [one, two, three, four]);
  assert.deepEqual([one._source.age, two._source.name, one.deleted], [1, "old", false], "a partial update leaves the rest");
  await until("one subscription a collection", async () => Object.keys(await rooms()).length === 1);

  // Pages of a search are live too.
  const sort = [{ age: "asc" }];
  const first = await observer.search(...at, { query: { range: { age: { gte: 5, lt: 20 } } }, sort }, { size: 10 });
  const second = await first.next();
  assert.deepEqual([first.hits.length, second.hits.length, second.hits[4]._id], [10, 5, "d19"]);
  await document.updateByQuery(...at, { range: { age: { gte: 5, lt: 20 } } }, { name: "found" }, now);
  const found = [...first.hits, ...second.hits];
  await until("live hits", () => found.every((hit) => hit._source.name === "found"), () => found);

  await observer.stop(...at, found);
  await document.update(...at, "d19", { name: "later" });
  await document.update(...at, "d1", { name: "latest" });
  await until("those that are still observed", () => one._source.name === "latest");
  assert.equal(second.hits[4]._source.name, "found");

  const watching = new Observer(kuzzle);
  const twice = await watching.get(...at, "d1");
  await observer.stop(...at);
  await document.update(...at, "d1", { name: "last" });
  await until("the other observer", () => twice._source.name === "last");
  assert.equal(one._source.name, "latest");
  await watching.stop();
  assert.deepEqual(await rooms(), {}, "no subscription is left");
}

// A client that listens while two others write hears everything once, each document in its order.
async function aThousandDocuments() {
  const at = await fresh("thousand");
  const { kuzzle: second } = await connect();
  const { heard } = await listen(kuzzle, at, {});
  const ids = [...Array(1000).keys()].map((n) => `t${n}`);
  const write = async ({ document }, own) => {
    for (let from = 0; from < own.length; from += 50) {
      await Promise.all(own.slice(from, from + 50).map(async (id) => {
        await document.create(...at, { age: 0 }, id);
        // Their order is up to the node; the last message says what is stored.
        await Promise.all([1, 2].map((age) => document.update(...at, id, { age }, { retryOnConflict: 10 })));
        if (Number(id.slice(1)) % 3 === 0) await document.delete(...at, id);
      }));
    }
  };
  await Promise.all([write(writer, ids.filter((_, n) => n % 2)), write(second, ids.filter((_, n) => n % 2 === 0))]);
  await realtime.publish(...at, {}, { _id: "end" });
  await until("the end", () => heard.at(-1)?.result._id === "end", () => heard.length);
  heard.pop();

  const stories = new Map(ids.map((id) => [id, []]));
  for (const { action, result } of heard) stories.get(result._id).push([action, result._source.age]);
  const { successes: stored } = await document.mGet(...at, ids);
  const last = new Map(stored.map(({ _id, _source }) => [_id, _source.age]));
  for (const [id, story] of stories) {
    const gone = Number(id.slice(1)) % 3 === 0;
    assert.deepEqual(story.map(([action]) => action), ["create", "update", "update", ...(gone ? ["delete"] : [])], id);
    assert.deepEqual([story[0][1], story[1][1] + story[2][1]], [0, 3], id);
    assert.equal(story[2][1], gone ? story[3][1] : last.get(id), id);
  }
  second.disconnect();
}

for (const scene of [everyActionOnDocuments, scopes, users, sharing, presence, liveDocuments, aThousandDocuments]) {
  await scene();
  console.log(`${scene.name}: ok`);
}
for (const one of [writer, kuzzle]) one.disconnect();
assert.deepEqual([writerErrors, errors], [[], []]);
