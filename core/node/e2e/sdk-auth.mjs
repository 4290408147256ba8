// What users do about themselves, through the official SDK against a fresh node in development mode: their credentials, their
// content, API keys and further tokens. Run by sdk_auth_test.go, which names the port:
//   node sdk-auth.mjs PORT
import assert from "node:assert/strict";
import sdk from "kuzzle-sdk";
import { connect, listen, port } from "./clients.mjs";

const { Http, Kuzzle } = sdk;

const refused = (promise, status, id) => assert.rejects(promise, (e) => {
  assert.deepEqual([e.status, e.id], [status, id]);
  return true;
});

// withKey gives a program that speaks with an API key over HTTP. The SDK drops a key that is refused whenever it gets to it, so
// none is given a second one.
async function withKey(key) {
  const kuzzle = new Kuzzle(new Http("127.0.0.1", { port }));
  await kuzzle.connect();
  kuzzle.setAPIKey(key._source.token);
  return kuzzle;
}

const { kuzzle: root, errors: rootErrors } = await connect();
for (const name of ["ann", "bob"]) {
  await root.security.createUser(name, {
    content: { profileIds: ["default"], name }, credentials: { local: { username: name, password: `${name}-Secret-1` } },
  });
}

// Credentials and content.
const { kuzzle: ann, errors: annErrors } = await connect();
await ann.auth.login("local", { username: "ann", password: "ann-Secret-1" });
assert.equal(await ann.auth.credentialsExist("local"), true);
assert.deepEqual(await ann.auth.getMyCredentials("local"), { username: "ann", kuid: "ann" });
assert.equal(await ann.auth.validateMyCredentials("local", { username: "anna", password: "x" }), true);
assert.deepEqual(await ann.auth.updateMyCredentials("local", { username: "anna", password: "ann-Secret-2" }), { username: "anna", kuid: "ann" });
await assert.rejects(ann.auth.createMyCredentials("local", { username: "again", password: "x" }), { status: 412 });
await ann.auth.deleteMyCredentials("local");
assert.equal(await ann.auth.credentialsExist("local"), false);
await ann.auth.createMyCredentials("local", { username: "ann", password: "ann-Secret-3" });
await ann.auth.login("local", { username: "ann", password: "ann-Secret-3" });
assert.equal((await ann.auth.updateSelf({ city: "Lyon" }))._source.city, "Lyon");
assert.equal((await ann.auth.getCurrentUser())._source.name, "ann");
await refused(ann.auth.updateSelf({ profileIds: ["admin"] }), 400, "api.assert.forbidden_argument");
assert.equal(await ann.auth.checkRights({ controller: "document", action: "get", index: "i", collection: "c" }), true);

// A password that was forgotten: an administrator asks for a token, its user sets another one with it and is logged in.
const password = (who, action, rest) => who.query({ controller: "kuzzle-plugin-auth-passport-local/password", action, ...rest });
const { result: { resetToken: token } } = await password(ann, "getResetPasswordToken", { _id: "bob" });
await refused(password(root, "getResetPasswordToken", { _id: "bob" }), 401, "security.rights.unauthorized");
const { kuzzle: bob, errors: bobErrors } = await connect();
bob.jwt = (await password(bob, "reset", { body: { password: "bob-Secret-2", token } })).result.jwt;
assert.equal((await bob.auth.getCurrentUser())._id, "bob");
await refused(password(root, "reset", { body: { password: "bob-Secret-3", token } }), 400, "plugin.kuzzle-plugin-auth-passport-local.invalid_token");
await bob.auth.login("local", { username: "bob", password: "bob-Secret-2" });

// An API key of her own: over HTTP, and for a subscription that ends with it.
const key = await ann.auth.createApiKey("for a program", { _id: "ann-key", expiresIn: "1h" });
assert.match(key._source.token, /^kapikey-/);
const found = await ann.auth.searchApiKeys({ match: { description: "program" } });
assert.deepEqual([found.total, found.hits[0]._id, found.hits[0]._source.token], [1, "ann-key", undefined]);

const program = await withKey(key);
assert.equal((await program.auth.getCurrentUser())._id, "ann");
await refused(program.auth.refreshToken(), 401, "security.token.refresh_forbidden");

const { kuzzle: listener, errors: listenerErrors } = await connect();
listener.setAPIKey(key._source.token);
const { room } = await listen(listener, ["auth", "books"], {});
await ann.query({ controller: "auth", action: "logout", global: true });
assert.equal((await program.auth.getCurrentUser())._id, "ann");
assert.equal(await root.realtime.count(room), 1);
await program.auth.deleteApiKey("ann-key");
assert.equal(await root.realtime.count(room), 0);
await refused(program.auth.getCurrentUser(), 401, "security.token.invalid");

// Keys that an operator makes; they go with their user.
const made = await root.security.createApiKey("bob", "by an operator", { _id: "bob-key" });
assert.deepEqual([made._source.expiresAt, made._source.ttl], [-1, -1]);
assert.equal((await root.security.searchApiKeys("bob")).total, 1);
await refused(root.security.deleteApiKey("ann", "bob-key"), 404, "services.storage.not_found");
const theirs = await withKey(made);
assert.equal((await theirs.auth.getCurrentUser())._id, "bob");

// Further tokens, one of them for a single use.
const further = async (options) => (await theirs.query({ controller: "auth", action: "createToken", ...options })).result;
const [session, once] = [await further({}), await further({ singleUse: true, expiresIn: "1m" })];
assert.deepEqual([once.singleUse, once.ttl], [true, 60_000]);
await refused(further({ expiresIn: -1 }), 400, "security.token.invalid_expiration");
const me = async (token) => (await fetch(`http://127.0.0.1:${port}/_me`, { headers: { authorization: `Bearer ${token}` } })).status;
assert.deepEqual([await me(session.token), await me(session.token)], [200, 200]);
assert.deepEqual([await me(once.token), await me(once.token)], [200, 401]);

await root.security.deleteUser("bob");
await refused(theirs.auth.getCurrentUser(), 401, "security.token.invalid");
assert.equal(await me(session.token), 401);
await root.security.createUser("bob", { content: { profileIds: ["default"] }, credentials: {} });
assert.equal(await me(made._source.token), 401);
assert.equal((await root.security.searchApiKeys("bob")).total, 0);

for (const one of [root, ann, bob, listener, program, theirs]) one.disconnect();
assert.deepEqual([rootErrors, annErrors, bobErrors, listenerErrors], [[], [], [], []]);
console.log("auth: ok");
