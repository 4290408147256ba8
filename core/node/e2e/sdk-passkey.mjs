// Passkeys through the official SDK against a fresh node in development mode whose passkeys are of example.com. What a page does
// is what docs/security.md tells people to write; the browser and its authenticator are made here. Run by passkey_test.go, which
// names the port:
//   node sdk-passkey.mjs PORT
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { connect } from "./clients.mjs";

const base64url = (bytes) => Buffer.from(bytes).toString("base64url");
const sha256 = (bytes) => createHash("sha256").update(bytes).digest();

// cbor writes what an authenticator needs of RFC 8949: maps, texts, bytes and small integers.
function cbor(value) {
  const head = (major, n) => n < 24 ? Buffer.from([major << 5 | n]) : n < 256 ? Buffer.from([major << 5 | 24, n]) : Buffer.from([major << 5 | 25, n >> 8, n & 255]);
  if (value instanceof Map) return Buffer.concat([head(5, value.size), ...[...value].flat().map(cbor)]);
  if (typeof value === "string") return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === "number") return value < 0 ? head(1, -1 - value) : head(0, value);
  return Buffer.concat([head(2, value.length), value]);
}

// A browser on https://example.com, with an authenticator that holds one passkey and sees its owner.
const id = randomBytes(32);
const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
let userHandle;
const [present, verified, withKey] = [1, 4, 64];

function signed(type, options, flags, data) {
  const clientData = Buffer.from(JSON.stringify({ type, challenge: options.challenge, origin: "https://example.com" }));
  const authenticatorData = Buffer.concat([sha256(options.rpId ?? options.rp.id), Buffer.from([flags, 0, 0, 0, 0]), ...data]);
  const signature = sign("sha256", Buffer.concat([authenticatorData, sha256(clientData)]), privateKey);
  return { clientDataJSON: base64url(clientData), authenticatorData, signature };
}

const credential = (response) => ({ id: base64url(id), rawId: base64url(id), type: "public-key", clientExtensionResults: {}, response });

function createCredential(options) {
  userHandle = options.user.id;
  const { x, y } = publicKey.export({ format: "jwk" });
  const key = cbor(new Map([[1, 2], [3, -7], [-1, 1], [-2, Buffer.from(x, "base64url")], [-3, Buffer.from(y, "base64url")]]));
  const { clientDataJSON, authenticatorData } = signed("webauthn.create", options, present | verified | withKey, [Buffer.alloc(16), Buffer.from([0, id.length]), id, key]);
  const attestation = cbor(new Map([["fmt", "none"], ["attStmt", new Map()], ["authData", authenticatorData]]));
  return credential({ clientDataJSON, attestationObject: base64url(attestation), transports: ["internal"] });
}

function getCredential(options) {
  const { clientDataJSON, authenticatorData, signature } = signed("webauthn.get", options, present | verified, []);
  return credential({ clientDataJSON, authenticatorData: base64url(authenticatorData), signature: base64url(signature), userHandle });
}

const { kuzzle, errors } = await connect();
await kuzzle.security.createUser("ann", {
  content: { profileIds: ["default"] }, credentials: { local: { username: "ann@example.com", password: "ann-Secret-1" } },
});
assert.deepEqual(await kuzzle.auth.getStrategies(), ["local", "passkey"]);

// Registration.
await kuzzle.auth.login("local", { username: "ann@example.com", password: "ann-Secret-1" });
const creation = await kuzzle.auth.validateMyCredentials("passkey", { displayName: "Ann" });
assert.deepEqual([creation.rp.id, creation.user.name], ["example.com", "Ann"]);
const made = await kuzzle.auth.createMyCredentials("passkey", { name: "laptop", response: createCredential(creation) });
assert.deepEqual([made.kuid, made.passkeys.length, made.passkeys[0].name, made.passkeys[0].transports], ["ann", 1, "laptop", ["internal"]]);
assert.equal(await kuzzle.auth.credentialsExist("passkey"), true);
assert.deepEqual((await kuzzle.security.getCredentialsById("passkey", base64url(id))).kuid, "ann");
await kuzzle.auth.logout();

// Logins, with a name and without.
for (const body of [{}, { username: "ann@example.com" }]) {
  const { result } = await kuzzle.query({ controller: "auth", action: "login", strategy: "passkey", body });
  const { options } = result;
  assert.equal(options.allowCredentials?.[0].id, body.username && base64url(id));
  const response = getCredential(options);
  await kuzzle.auth.login("passkey", { response });
  assert.equal((await kuzzle.auth.getCurrentUser())._id, "ann");
  await kuzzle.auth.logout();
  await assert.rejects(kuzzle.auth.login("passkey", { response }), { status: 401, id: "plugin.strategy.missing_user" });
}

kuzzle.disconnect();
assert.deepEqual(errors, []);
console.log("passkeys: ok");
