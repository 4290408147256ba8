// What the official SDK does against a node, over HTTP and over WebSocket. Run by sdk_test.go, which names the port:
//   node sdk.mjs PORT
import assert from "node:assert/strict";
import sdk from "kuzzle-sdk";

const { Kuzzle, Http, WebSocket } = sdk;

const port = Number(process.argv[2]);
const protocols = { http: () => new Http("127.0.0.1", { port }), websocket: () => new WebSocket("127.0.0.1", { port }) };
const oneLoginPerSecond = () => new Promise((resolve) => setTimeout(resolve, 1100));

// connect gives an SDK on a fresh connection; whatever the network reports goes into errors.
async function connect(name) {
  const kuzzle = new Kuzzle(protocols[name]());
  const errors = [];
  kuzzle.on("networkError", (error) => errors.push(error));
  await kuzzle.connect();
  return { kuzzle, errors };
}

// In a fresh node in development mode everybody may do everything.
async function wideOpen(name) {
  const { kuzzle, errors } = await connect(name);
  const now = await kuzzle.server.now();
  assert.ok(Math.abs(now - Date.now()) < 5000, "server.now");
  assert.equal(await kuzzle.server.adminExists(), false);

  await kuzzle.security.createUser(`ann-${name}`, {
    content: { profileIds: ["default"], email: `Ann.${name}@Example.org` },
    credentials: { local: { username: `ann-${name}`, password: "ann-Secret-1" } },
  });
  await assert.rejects(kuzzle.auth.login("local", { username: `ann-${name}`, password: "wrong" }), { status: 401 });
  await oneLoginPerSecond();
  const jwt = await kuzzle.auth.login("local", { username: `ann-${name}`, password: "ann-Secret-1" }, "1h");
  assert.match(jwt, /^kauth-/);
  assert.equal(kuzzle.authenticated, true);

  const user = await kuzzle.auth.getCurrentUser();
  assert.equal(user._id, `ann-${name}`);
  assert.equal(user._source.email, `Ann.${name}@Example.org`);
  assert.deepEqual(await kuzzle.auth.getStrategies(), ["local"]);
  assert.equal((await kuzzle.auth.checkToken()).valid, true);

  const own = await checkUserToken(kuzzle, ` ann.${name}@EXAMPLE.org `);
  assert.equal(own.status, 200);
  assert.deepEqual(own.result, { statusCode: 0, message: "generic_success", data: { isValid: true } });
  assert.equal((await checkUserToken(kuzzle, "bob@example.org")).result.data.isValid, false);

  const refreshed = await kuzzle.auth.refreshToken({ expiresIn: "2h" });
  assert.notEqual(refreshed.jwt, jwt);
  const ended = kuzzle.jwt;
  await kuzzle.auth.logout();
  assert.equal(kuzzle.jwt, null);
  assert.equal((await kuzzle.auth.checkToken(ended)).valid, false);
  assert.equal((await kuzzle.auth.getCurrentUser())._id, "-1");
  await assert.rejects(checkUserToken(kuzzle, "ann@example.org"), { status: 401 }, "a token is required in every mode");

  kuzzle.disconnect();
  assert.deepEqual(errors, []);
  console.log(`${name}, wide open: ok`);
}

// Indexes, collections and documents, in a fresh node in development mode.
async function documents(name) {
  const { kuzzle, errors } = await connect(name);
  const { index, collection, document, bulk } = kuzzle;
  const at = [`sdk-${name}`, "books"];

  assert.equal(await index.exists(at[0]), false);
  await index.create(at[0]);
  await assert.rejects(index.create(at[0]), { status: 412, id: "services.storage.index_already_exists" });
  assert.ok((await index.list()).includes(at[0]));
  await assert.rejects(document.create(...at, {}), { status: 412, id: "services.storage.unknown_collection" });

  await collection.create(...at, { mappings: { properties: { title: { type: "text" }, year: { type: "integer" } } } });
  assert.equal(await collection.exists(...at), true);
  assert.deepEqual((await collection.list(at[0])).collections, [{ name: "books", type: "stored" }]);
  await collection.update(...at, { mappings: { properties: { isbn: { type: "keyword" } } } });
  const mapping = await collection.getMapping(...at);
  assert.deepEqual(Object.keys(mapping.properties).sort(), ["isbn", "title", "year"]);
  assert.ok((await collection.getMapping(...at, { includeKuzzleMeta: true })).properties._kuzzle_info);
  await assert.rejects(collection.update(...at, { mappings: { properties: { year: { type: "keyword" } } } }), { status: 400, id: "services.storage.cannot_change_mapping" });

  const created = await document.create(...at, { title: "One", year: 1 }, "one", { refresh: "wait_for" });
  assert.equal(created._version, 1);
  assert.equal(created._source._kuzzle_info.author, "-1");
  assert.match((await document.create(...at, { title: "Any" }))._id, /^[0-9a-f-]{36}$/);
  await assert.rejects(document.create(...at, {}, "one"), { status: 400, id: "services.storage.document_already_exists" });
  assert.equal((await document.get(...at, "one"))._source.title, "One");
  await assert.rejects(document.get(...at, "none"), { status: 404, id: "services.storage.not_found" });
  assert.equal(await document.exists(...at, "one"), true);
  assert.equal((await document.createOrReplace(...at, "two", { title: "Two" })).created, true);
  assert.equal((await document.replace(...at, "two", { title: "Second" }))._source.title, "Second");
  const updated = await document.update(...at, "one", { year: 2 }, { source: true, retryOnConflict: 3 });
  assert.deepEqual([updated._source.title, updated._source.year, updated._version], ["One", 2, 2]);
  assert.equal((await document.upsert(...at, "three", { year: 3 }, { default: { title: "Three" } })).created, true);
  assert.equal((await document.get(...at, "three"))._source.title, "Three");
  await document.deleteFields(...at, "three", ["year"]);
  assert.equal((await document.get(...at, "three"))._source.year, undefined);
  assert.equal(await document.delete(...at, "three"), "three");

  const many = [{ _id: "m1", body: { year: 1 } }, { _id: "one", body: {} }, { _id: "m2", body: { year: 2 } }];
  const mCreated = await document.mCreate(...at, many);
  assert.deepEqual(mCreated.successes.map((d) => [d._id, d.status]), [["m1", 201], ["m2", 201]]);
  assert.deepEqual([mCreated.errors[0].document._id, mCreated.errors[0].status], ["one", 400]);
  await assert.rejects(document.mCreate(...at, many, { strict: true }), { status: 400, id: "api.process.incomplete_multiple_request", count: 3 });
  const read = await document.mGet(...at, ["m2", "none", "m1"]);
  assert.deepEqual([read.successes.map((d) => d._id), read.errors], [["m2", "m1"], ["none"]]);
  const mExists = { controller: "document", action: "mExists", index: at[0], collection: at[1], body: { ids: ["m1", "none"] } };
  assert.deepEqual((await kuzzle.query(mExists)).result, { successes: ["m1"], errors: ["none"] });
  assert.equal((await document.mCreateOrReplace(...at, [{ _id: "m1", body: { year: 5 } }])).successes[0].result, "updated");
  assert.equal((await document.mReplace(...at, [{ _id: "none", body: {} }])).errors[0].status, 404);
  assert.equal((await document.mUpdate(...at, [{ _id: "m1", body: { title: "M" } }])).successes[0]._source.year, 5);
  assert.equal((await document.mUpsert(...at, [{ _id: "m3", changes: { year: 3 } }])).successes[0].created, true);
  const deleted = await document.mDelete(...at, ["m1", "none", "m2"], { refresh: "wait_for" });
  assert.deepEqual([deleted.successes, deleted.errors[0]._id], [["m1", "m2"], "none"]);

  assert.equal((await bulk.write(...at, { raw: 1 }, "raw"))._version, 1);
  assert.equal((await bulk.mWrite(...at, [{ _id: "raw", body: {} }])).successes[0]._version, 2);
  assert.deepEqual((await bulk.import(...at, [{ index: { _id: "line" } }, { year: 1 }])).successes, [{ index: { _id: "line", status: 201 } }]);

  await collection.refresh(...at);
  await collection.truncate(...at);
  assert.equal(await document.exists(...at, "one"), false);
  await collection.delete(...at);
  assert.equal(await collection.exists(...at), false);
  assert.deepEqual(await index.mDelete([at[0], "none"]), [at[0]]);

  kuzzle.disconnect();
  assert.deepEqual(errors, []);
  console.log(`${name}, documents: ok`);
}

// Once the first admin is made with reset, rights decide.
async function hardened(name) {
  const { kuzzle, errors } = await connect(name);
  await assert.rejects(kuzzle.security.getUser(`ann-${name}`), { status: 401, id: "security.rights.unauthorized" });

  await kuzzle.auth.login("local", { username: `ann-${name}`, password: "ann-Secret-1" });
  assert.equal((await kuzzle.auth.getCurrentUser())._id, `ann-${name}`);
  const rights = await kuzzle.auth.getMyRights();
  assert.ok(rights.some((r) => r.controller === "auth" && r.action === "logout" && r.value === "allowed"));
  await assert.rejects(kuzzle.security.getUser(`ann-${name}`), { status: 403, id: "security.rights.forbidden" });
  assert.equal((await checkUserToken(kuzzle, `ann.${name}@example.org`)).result.data.isValid, true);
  await kuzzle.auth.logout();
  await oneLoginPerSecond();

  await kuzzle.auth.login("local", { username: "root", password: "root-Secret-1" });
  const ann = await kuzzle.security.getUser(`ann-${name}`);
  assert.deepEqual(ann._source.profileIds, ["default"]);
  assert.equal(await kuzzle.server.adminExists(), true);
  await kuzzle.auth.logout();

  kuzzle.disconnect();
  assert.deepEqual(errors, []);
  console.log(`${name}, hardened: ok`);
}

function checkUserToken(kuzzle, email) {
  return kuzzle.query({ controller: "Comexposium/userController", action: "checkUserToken", body: { email } });
}

for (const name of Object.keys(protocols)) {
  await wideOpen(name);
  await documents(name);
}
const { kuzzle } = await connect("websocket");
await kuzzle.query({
  controller: "security", action: "createFirstAdmin", _id: "root", reset: true,
  body: { content: {}, credentials: { local: { username: "root", password: "root-Secret-1" } } },
});
kuzzle.disconnect();
for (const name of Object.keys(protocols)) {
  await hardened(name);
}
