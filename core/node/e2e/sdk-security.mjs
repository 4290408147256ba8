// What the official SDK's security controller does against a fresh node in development mode, over HTTP and over WebSocket. Run
// by security_test.go, which names the port:
//   node sdk-security.mjs PORT
import assert from "node:assert/strict";
import sdk from "kuzzle-sdk";

const { Kuzzle, Http, WebSocket } = sdk;

const port = Number(process.argv[2]);
const protocols = { http: () => new Http("127.0.0.1", { port }), websocket: () => new WebSocket("127.0.0.1", { port }) };
const oneLoginPerSecond = () => new Promise((resolve) => setTimeout(resolve, 1100));

const reader = { controllers: { document: { actions: { get: true } }, auth: { actions: { getCurrentUser: true } } } };

// Roles and profiles: stored, found, in use, gone.
async function rights({ security }, id) {
  assert.deepEqual((await security.createRole(`r-${id}`, reader)).controllers, reader.controllers);
  await assert.rejects(security.createRole(`r-${id}`, reader), { status: 400, id: "services.storage.document_already_exists" });
  await assert.rejects(security.createRole(`x-${id}`, { controllers: { documnet: { actions: { get: true } } } }), { id: "security.role.unknown_controller" });
  await security.createOrReplaceRole(`s-${id}`, reader);
  await security.updateRole(`s-${id}`, { controllers: { documnet: { actions: { get: true } } } }, { force: true });
  assert.deepEqual((await security.mGetRoles([`r-${id}`, "admin"])).map((role) => role._id), [`r-${id}`, "admin"]);
  assert.deepEqual((await security.searchRoles({ controllers: ["document"] })).hits.map((role) => role._id), [`r-${id}`]);

  const policies = [{ roleId: `r-${id}`, restrictedTo: [{ index: "library" }] }];
  assert.deepEqual((await security.createProfile(`p-${id}`, { policies, rateLimit: 50 })).policies, policies);
  assert.equal((await security.updateProfile(`p-${id}`, { rateLimit: 60 })).rateLimit, 60);
  await security.createOrReplaceProfile(`q-${id}`, { policies: [{ roleId: "default" }] });
  await assert.rejects(security.createOrReplaceProfile(`q-${id}`, { policies: [{ roleId: "nothing" }] }), { status: 404, id: "security.role.not_found" });
  assert.deepEqual((await security.mGetProfiles([`q-${id}`, `p-${id}`])).map((profile) => profile._id), [`q-${id}`, `p-${id}`]);
  const found = await security.searchProfiles({ query: { term: { "policies.roleId": `r-${id}` } } });
  assert.deepEqual(found.hits.map((profile) => profile._id), [`p-${id}`]);
  assert.deepEqual((await security.getProfileRights(`p-${id}`)).map((right) => [right.action, right.index, right.value]),
    [["getCurrentUser", "library", "allowed"], ["get", "library", "allowed"]]);
  await assert.rejects(security.deleteRole(`r-${id}`), { status: 412, id: "security.role.in_use" });
  assert.deepEqual(await security.mDeleteRoles([`s-${id}`]), [`s-${id}`]);
}

// Users and what they log in with.
async function users(kuzzle, id) {
  const { auth, security } = kuzzle;
  const joe = `joe-${id}`;
  assert.deepEqual((await security.createRestrictedUser({ content: { team: id } }, joe)).profileIds, ["default"]);
  assert.equal((await security.updateUser(joe, { profileIds: [`p-${id}`] }))._source.team, id);
  assert.deepEqual((await security.replaceUser(joe, { profileIds: [`p-${id}`], age: 5 }))._source.team, undefined);
  const eve = { content: { profileIds: ["default"] }, default: { age: 6 } };
  await kuzzle.query({ controller: "security", action: "upsertUser", _id: `eve-${id}`, body: eve });
  assert.deepEqual((await security.mGetUsers([`eve-${id}`, "nobody", joe])).map((user) => user._id), [`eve-${id}`, joe]);
  assert.equal((await security.mGetUsers([joe]))[0].content.age, 5);

  assert.equal(await security.hasCredentials("local", joe), false);
  assert.equal(await security.validateCredentials("local", joe, { username: joe, password: "joe-Secret-1" }), true);
  assert.deepEqual(await security.createCredentials("local", joe, { username: joe, password: "joe-Secret-1" }), { username: joe, kuid: joe });
  await security.updateCredentials("local", joe, { password: "joe-Secret-2" });
  assert.deepEqual(await security.getCredentialsById("local", joe), { username: joe, kuid: joe });
  assert.deepEqual(await security.getAllCredentialFields(), { local: ["username", "password"] });
  assert.deepEqual(await security.getCredentialFields("local"), ["username", "password"]);
  assert.deepEqual(await security.getUserStrategies(joe), ["local"]);
  assert.equal((await security.getUserRights(joe)).length, 2);
  assert.equal(await security.checkRights(joe, { controller: "document", action: "get", index: "library" }), true);
  assert.equal(await security.checkRights(joe, { controller: "document", action: "get", index: "elsewhere" }), false);

  await oneLoginPerSecond();
  await auth.login("local", { username: joe, password: "joe-Secret-2" });
  await assert.rejects(security.updateUser(joe, { profileIds: ["admin"] }), { status: 403, id: "security.rights.forbidden" });
  await assert.rejects(security.searchUsers(), { status: 403 });
}

// Page by page, by a scroll and by search_after.
async function pages({ security }, id) {
  await security.updateUserMapping({ properties: { age: { type: "integer" }, team: { type: "keyword" } } });
  assert.ok((await security.getUserMapping()).mapping.age);
  for (let age = 0; age < 5; age++) {
    await security.createUser(`${id}-${age}`, { content: { profileIds: ["default"], age, team: `t-${id}` } });
  }
  await security.refresh("users");
  const query = { query: { term: { team: `t-${id}` } }, sort: [{ age: "desc" }] };
  for (const options of [{ size: 2, scroll: "10s" }, { size: 2 }]) {
    const seen = [];
    for (let page = await security.searchUsers(query, options); page; page = await page.next()) {
      assert.equal(page.total, 5);
      seen.push(...page.hits.map((user) => user.content.age));
    }
    assert.deepEqual(seen, [4, 3, 2, 1, 0], JSON.stringify(options));
  }
  assert.deepEqual(await security.mDeleteUsers([`${id}-0`, `${id}-1`]), [`${id}-0`, `${id}-1`]);
}

// What was made goes again, and its users keep nothing of it.
async function deletions({ security }, id) {
  await assert.rejects(security.deleteProfile(`p-${id}`), { status: 412, id: "security.profile.in_use" });
  await security.deleteProfile(`p-${id}`, { onAssignedUsers: "remove" });
  assert.deepEqual((await security.getUser(`joe-${id}`)).profileIds, ["anonymous"]);
  assert.deepEqual(await security.mDeleteProfiles([`q-${id}`]), [`q-${id}`]);
  await security.deleteRole(`r-${id}`);
  await assert.rejects(security.deleteProfile("admin"), { status: 400, id: "security.profile.cannot_delete" });
  await security.deleteCredentials("local", `joe-${id}`);
  assert.equal(await security.hasCredentials("local", `joe-${id}`), false);
}

for (const name of Object.keys(protocols)) {
  const kuzzle = new Kuzzle(protocols[name]());
  const errors = [];
  kuzzle.on("networkError", (error) => errors.push(error));
  await kuzzle.connect();
  await rights(kuzzle, name);
  await users(kuzzle, name);
  kuzzle.jwt = null;
  await pages(kuzzle, name);
  await deletions(kuzzle, name);
  kuzzle.disconnect();
  assert.deepEqual(errors, []);
  console.log(`${name}: ok`);
}
