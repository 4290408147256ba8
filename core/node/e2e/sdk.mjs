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
