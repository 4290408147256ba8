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

// Whatever finds documents by what is in them, in a fresh node in development mode.
async function searching(name) {
  const { kuzzle, errors } = await connect(name);
  const { index, collection, document, bulk } = kuzzle;
  const at = [`sdk-search-${name}`, "books"];
  const now = { refresh: "wait_for" };
  await index.create(at[0]);
  await collection.create(...at, { mappings: { properties: { title: { type: "text" }, year: { type: "integer" }, tag: { type: "keyword" } } } });
  const books = [...Array(25).keys()].map((year) => ({ _id: `b${String(year).padStart(2, "0")}`, body: { title: `Book ${year}`, year, tag: year % 2 ? "odd" : "even" } }));
  await document.mCreate(...at, books, now);
  const ids = (result) => result.hits.map((hit) => hit._id);
  const all = books.map((book) => book._id);

  // What the Admin Console asks when it opens a collection.
  const first = await document.search(...at, { query: {}, sort: { "_kuzzle_info.createdAt": "desc" } }, { from: 0, size: 25 });
  assert.equal(first.total, 25);
  assert.deepEqual(ids(first).sort(), all);
  assert.deepEqual([first.hits[0].index, first.hits[0].collection], at);
  const quick = { query: { bool: { should: [{ multi_match: { query: "book 7", type: "phrase_prefix", fields: ["*"] } }, { match: { _id: "b03" } }] } } };
  assert.deepEqual(ids(await document.search(...at, quick)).sort(), ["b03", "b07"]);

  // The three ways of SearchResult.next(): a scroll, search_after, from.
  const sort = [{ year: "asc" }];
  for (const [way, body, options] of [
    ["scroll", { sort }, { scroll: "30s", size: 10 }],
    ["search_after", { sort }, { size: 10 }],
    ["search_after of an object", { sort: { tag: "asc", year: "asc" } }, { size: 10 }],
    ["from", {}, { size: 10 }],
  ]) {
    const seen = [];
    let pages = 0;
    for (let result = await document.search(...at, body, options); result; result = await result.next(), pages += 1) {
      assert.equal(result.total, 25, way);
      seen.push(...ids(result));
    }
    assert.equal(pages, 3, way);
    assert.deepEqual([...seen].sort(), all, way);
    if (body.sort === sort) assert.deepEqual(seen, all, way);
  }
  const verb = await document.search(...at, { query: { term: { year: 3 } } }, { verb: "GET" });
  assert.deepEqual(ids(verb), ["b03"]);
  const koncorde = { query: { and: [{ equals: { tag: "odd" } }, { range: { year: { lt: 4 } } }] } };
  assert.deepEqual(ids(await document.search(...at, { ...koncorde, sort }, { lang: "koncorde" })), ["b01", "b03"]);
  const { aggregations } = await document.search(...at, { aggs: { tags: { terms: { field: "tag" } } } }, { size: 0 });
  assert.deepEqual(aggregations.tags.buckets, [{ key: "even", doc_count: 13 }, { key: "odd", doc_count: 12 }]);
  if (name === "websocket") { // over HTTP the SDK has no URL for it
    const { result } = await kuzzle.query({ controller: "document", action: "search", targets: [{ index: at[0], collections: [at[1]] }], body: { sort }, size: 1 });
    assert.deepEqual(ids(result), ["b00"]);
  }
  await assert.rejects(document.search(...at, { query: { near: {} } }), { status: 400, id: "services.storage.unknown_query_keyword" });
  await assert.rejects(document.search(...at, {}, { scroll: "1h" }), { status: 400, id: "services.storage.scroll_duration_too_great" });
  await assert.rejects(document.search(...at, {}, { size: 10001 }), { status: 413, id: "services.storage.get_limit_exceeded" });
  const scroll = { controller: "document", action: "scroll", scrollId: "none" };
  await assert.rejects(kuzzle.query(scroll), { status: 404, id: "services.storage.unknown_scroll_id" });

  assert.equal(await document.count(...at, { query: { range: { year: { gte: 20 } } } }), 5);
  assert.equal(await document.count(...at), 25);
  const updated = await document.updateByQuery(...at, { term: { tag: "odd" } }, { seen: true }, { source: true, ...now });
  assert.deepEqual([updated.successes.length, updated.errors], [12, []]);
  assert.deepEqual([updated.successes[0]._source.seen, updated.successes[0]._version, updated.successes[0].status], [true, 2, 200]);
  assert.deepEqual(await document.deleteByQuery(...at, { query: { term: { year: 24 } } }, now), ["b24"]);
  assert.equal(await bulk.updateByQuery(...at, { range: { year: { lt: 10 } } }, { old: true }, now), 10);
  assert.equal(await bulk.deleteByQuery(...at, { query: { term: { tag: "odd" } } }, now), 12);
  assert.equal(await document.count(...at, {}), 12);
  assert.deepEqual(await document.deleteByQuery(...at, {}, now).then((deleted) => deleted.length), 12);

  assert.deepEqual(await document.validate(...at, { any: "thing" }), { valid: true, errorMessages: {} });
  await collection.updateSpecifications(...at, { strict: true, fields: { year: { type: "integer", mandatory: true } } });
  assert.equal((await document.validate(...at, { any: "thing" })).valid, false);
  await assert.rejects(document.create(...at, { year: "soon" }), { status: 400, id: "validation.check.failed_field" });
  await document.create(...at, { year: 1 });

  await kuzzle.collection.refresh(...at); // Elasticsearch counts what searches see
  const stats = (await index.stats()).indexes.find((one) => one.name === at[0]);
  assert.deepEqual([stats.collections[0].name, stats.collections[0].documentCount], ["books", 1]);
  await index.delete(at[0]);

  kuzzle.disconnect();
  assert.deepEqual(errors, []);
  console.log(`${name}, searching: ok`);
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
  await searching(name);
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
