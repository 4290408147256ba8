// What the official SDK's collection controller does against a fresh node in development mode, over HTTP and over WebSocket.
// Run by collection_test.go, which names the port:
//   node sdk-collection.mjs PORT
import assert from "node:assert/strict";
import sdk from "kuzzle-sdk";

const { Kuzzle, Http, WebSocket } = sdk;

const port = Number(process.argv[2]);
const protocols = { http: () => new Http("127.0.0.1", { port }), websocket: () => new WebSocket("127.0.0.1", { port }) };

// Specifications: stored, asked for, in force, gone.
async function specifications(kuzzle, index) {
  const { collection, document } = kuzzle;
  const at = [index, "loans"];
  const specification = {
    strict: true,
    fields: {
      days: { type: "integer", mandatory: true, typeOptions: { range: { min: 1, max: 30 } } },
      reader: { type: "object" },
      "reader/email": { type: "email" },
      state: { type: "enum", defaultValue: "lent", typeOptions: { values: ["lent", "back"] } },
    },
    validators: [{ not: { equals: { "reader.email": "nobody@example.org" } } }],
  };
  await collection.create(...at, { mappings: { properties: { days: { type: "integer" } } } });
  await assert.rejects(collection.getSpecifications(...at), { status: 404, id: "validation.assert.not_found" });
  assert.deepEqual(await collection.validateSpecifications(...at, specification), { valid: true });
  const checked = await collection.validateSpecifications(...at, { fields: { days: { type: "number" }, "a/b": { type: "string" } } });
  assert.deepEqual([checked.valid, typeof checked.description, checked.details.length], [false, "string", 2]);
  await assert.rejects(collection.updateSpecifications(...at, { strict: 1 }), { status: 400, id: "validation.assert.invalid_specifications" });
  assert.deepEqual(await collection.updateSpecifications(...at, specification), specification);
  assert.deepEqual(await collection.getSpecifications(...at), { index, collection: "loans", validation: specification });

  assert.deepEqual(await document.validate(...at, { days: 3 }), { valid: true, errorMessages: {} });
  const outcome = await document.validate(...at, { days: 99, reader: { email: "x" }, color: "red" });
  assert.equal(outcome.valid, false);
  assert.deepEqual(Object.keys(outcome.errorMessages.fieldScope.children).sort(), ["days", "reader"]);
  assert.equal(outcome.errorMessages.fieldScope.children.reader.children.email.messages.length, 1);
  assert.equal(outcome.errorMessages.documentScope.length, 1);

  assert.equal((await document.create(...at, { days: 3 }, "one"))._source.state, "lent");
  await assert.rejects(document.create(...at, { days: 31 }), { status: 400, id: "validation.check.failed_field" });
  await assert.rejects(document.create(...at, { days: 3, color: "red" }), { status: 400, id: "validation.check.failed_document" });
  await assert.rejects(document.create(...at, { days: 3, reader: { email: "nobody@example.org" } }), { id: "validation.check.failed_document" });
  await assert.rejects(document.update(...at, "one", { days: null }), { status: 400, id: "validation.check.failed_field" });
  assert.equal((await document.update(...at, "one", { state: "back" }))._version, 2);

  await collection.deleteSpecifications(...at);
  await assert.rejects(collection.getSpecifications(...at), { status: 404 });
  assert.equal((await document.create(...at, { color: "red" }, "free"))._id, "free");
}

// Specifications are searched, page by page in all the ways the SDK has.
async function searching(kuzzle, index) {
  const { collection } = kuzzle;
  const names = ["a", "b", "c", "d", "e"];
  for (const name of names) {
    await collection.updateSpecifications(index, name, { fields: { [name]: { type: "string" } } });
  }
  const query = { equals: { index } };
  const body = () => ({ query: { term: { index } }, sort: [{ collection: "asc" }] });
  const all = await collection.searchSpecifications(body());
  assert.deepEqual([all.total, all.hits.map((h) => h._id)], [5, names.map((name) => `${index}#${name}`)]);
  assert.deepEqual(all.hits[0]._source.validation, { fields: { a: { type: "string" } } });
  assert.equal((await collection.searchSpecifications({ query: { bool: { filter: [{ term: { index } }, { term: { collection: "c" } }] } } })).total, 1);
  assert.equal((await collection.searchSpecifications({ query: { term: { index: "none" } } })).total, 0);
  await assert.rejects(collection.searchSpecifications({ query }), { status: 400 });

  for (const options of [{ size: 2, scroll: "10s" }, { size: 2 }, { from: 0, size: 2 }]) {
    const found = [];
    const asked = body();
    if (options.from === 0) delete asked.sort; // or else the SDK goes on with search_after
    for (let page = await collection.searchSpecifications(asked, options); page; page = await page.next()) {
      assert.equal(page.total, 5);
      found.push(...page.hits.map((h) => h._source.collection));
    }
    assert.deepEqual(found.sort(), names, JSON.stringify(options));
  }
  await assert.rejects(collection.searchSpecifications({}, { scroll: "2m" }), { status: 400, id: "services.storage.scroll_duration_too_great" });
  await assert.rejects(collection.searchSpecifications({}, { size: 10001 }), { status: 413, id: "services.storage.get_limit_exceeded" });
  const gone = { controller: "collection", action: "scrollSpecifications", scrollId: "gone" };
  await assert.rejects(kuzzle.query(gone), { status: 404, id: "services.storage.unknown_scroll_id" });

  // What the collections were held to goes with them.
  await collection.create(index, "a", {});
  await collection.delete(index, "a");
  assert.equal((await collection.searchSpecifications(body())).total, 4);
}

// Mappings, settings (of which this SDK knows nothing) and what is done with all documents of a collection.
async function collections(kuzzle, index) {
  const { collection, document } = kuzzle;
  const at = [index, "books"];
  await collection.create(...at, { mappings: { dynamic: "false", properties: { title: { type: "text" } } }, settings: {} });
  assert.deepEqual(await collection.getMapping(...at), { dynamic: "false", properties: { title: { type: "text" } } });
  const settings = { controller: "collection", action: "getSettings", index, collection: "books" };
  assert.equal((await kuzzle.query(settings)).result.number_of_shards, "1");
  await document.mCreate(...at, [{ _id: "one", body: { year: 1900 } }, { _id: "two", body: { year: 2000 } }]);
  await collection.refresh(...at);
  const recent = { query: { range: { year: { gte: 1950 } } } };
  assert.equal((await document.search(...at, recent)).total, 0, "year is not indexed yet");

  // A field that the mapping gains is found in documents from before, once they are indexed anew.
  await collection.update(...at, { mappings: { properties: { year: { type: "integer" } } }, reindexCollection: true });
  await eventually(async () => (await document.search(...at, recent)).total === 1);
  assert.equal((await document.get(...at, "two"))._source.year, 2000);

  // So is one that a mapping learns by itself, once it may.
  await document.create(...at, { shelf: "upper" }, "three", { refresh: "wait_for" });
  await collection.update(...at, { mappings: { dynamic: "true" } });
  await eventually(async () => (await document.search(...at, { query: { match: { shelf: "upper" } } })).total === 1);
  assert.equal((await collection.getMapping(...at)).properties.shelf.type, "text");

  await assert.rejects(collection.update(...at, { mappings: { properties: { year: { type: "text" } } } }), { id: "services.storage.cannot_change_mapping" });
  await assert.rejects(collection.refresh(index, "none"), { status: 412, id: "services.storage.unknown_collection" });
  await collection.truncate(...at, { refresh: "wait_for" });
  assert.equal(await document.count(...at), 0);
  assert.deepEqual(Object.keys((await collection.getMapping(...at)).properties).sort(), ["shelf", "title", "year"]);
}

async function eventually(holds) {
  for (const until = Date.now() + 10_000; !(await holds()); ) {
    assert.ok(Date.now() < until, `in vain: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

for (const name of Object.keys(protocols)) {
  const kuzzle = new Kuzzle(protocols[name]());
  const errors = [];
  kuzzle.on("networkError", (error) => errors.push(error));
  await kuzzle.connect();
  for (const [i, scene] of [specifications, searching, collections].entries()) {
    const index = `${name}-${i}`;
    await kuzzle.index.create(index);
    await scene(kuzzle, index);
    await kuzzle.index.delete(index);
    console.log(`${name}, ${scene.name}: ok`);
  }
  assert.equal((await kuzzle.collection.searchSpecifications()).total, 0, "all went with their indexes");
  kuzzle.disconnect();
  assert.deepEqual(errors, []);
}
