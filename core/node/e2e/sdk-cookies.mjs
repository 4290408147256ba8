// The official SDK in cookie mode, which it has in browsers only: a page of ORIGIN, in a browser that keeps cookies and the rules
// for reading answers of another origin. Run by cookies_test.go against a node with the user ann:
//   node sdk-cookies.mjs PORT ORIGIN
import assert from "node:assert/strict";
import http from "node:http";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const Socket = require("ws");
const port = Number(process.argv[2]);
const origin = process.argv[3];
const foreign = origin !== `http://127.0.0.1:${port}`;
const site = foreign ? "same-site" : "same-origin";
const jar = new Map(); // of the only host there is

const cookies = () => [...jar].map(([name, value]) => `${name}=${value}`).join("; ");

function keep(lines = []) {
  for (const line of lines) {
    const [pair, ...attributes] = line.split("; ");
    const [name, value] = pair.split("=");
    assert.ok(attributes.includes("HttpOnly") && attributes.includes("SameSite=Strict"), line);
    if (attributes.includes("Max-Age=0")) jar.delete(name);
    else jar.set(name, value);
  }
}

// mayRead is the browser's own check of an answer.
const mayRead = (headers, withCredentials) => !foreign || headers["access-control-allow-origin"] === origin &&
  (!withCredentials || headers["access-control-allow-credentials"] === "true");

globalThis.XMLHttpRequest = class {
  readyState = 0;
  status = 0;
  #headers = {};

  open(method, url) { Object.assign(this, { method, url }); }

  setRequestHeader(name, value) { this.#headers[name.toLowerCase()] = value; }

  getResponseHeader(name) { return this.received[name.toLowerCase()] ?? null; }

  #ask(method, headers) {
    return new Promise((resolve, reject) => {
      const sent = { ...headers, "sec-fetch-site": site };
      if (foreign || method !== "GET") sent.origin = origin;
      http.request(this.url, { method, headers: sent }, async (answer) => {
        const chunks = await answer.toArray();
        resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks).toString() });
      }).on("error", reject).end(method === "OPTIONS" ? undefined : this.body);
    });
  }

  async send(body) {
    this.body = body;
    if (foreign) {
      const allowed = await this.#ask("OPTIONS", { "access-control-request-method": this.method });
      if (!mayRead(allowed.headers, this.withCredentials)) return this.#fail();
    }
    const attached = !foreign || this.withCredentials;
    const answer = await this.#ask(this.method, { ...this.#headers, ...attached && jar.size > 0 && { cookie: cookies() } });
    if (attached) keep(answer.headers["set-cookie"]);
    if (!mayRead(answer.headers, this.withCredentials)) return this.#fail();
    Object.assign(this, { readyState: 4, status: answer.status, received: answer.headers, responseText: answer.body });
    this.onreadystatechange?.();
    this.onload?.();
  }

  #fail() {
    this.readyState = 4;
    this.onreadystatechange?.();
  }
};

// A browser's WebSocket: the cookies of the jar, the origin of the page, and events in place of an emitter.
globalThis.WebSocket = class {
  static CLOSING = 2;
  #socket;

  constructor(url) {
    this.#socket = new Socket(url, { origin, headers: jar.size > 0 ? { cookie: cookies() } : {} });
    this.#socket.on("open", () => this.onopen?.());
    this.#socket.on("message", (data) => this.onmessage?.({ data: data.toString() }));
    this.#socket.on("close", (code, reason) => this.onclose?.({ code, reason: reason.toString() }));
    this.#socket.on("error", (error) => this.onerror?.(error));
    Object.assign(this, { OPEN: 1, CLOSING: 2, CLOSED: 3 });
  }

  get readyState() { return this.#socket.readyState; }

  send(text) { this.#socket.send(text); }

  close(code) { this.#socket.close(code); }
};

const { default: sdk } = await import("kuzzle-sdk");
const { Http, Kuzzle, WebSocket } = sdk;
const { until } = await import("./clients.mjs");

const credentials = { username: "ann", password: "ann-Secret-1" };
const me = async (kuzzle) => (await kuzzle.auth.getCurrentUser())._id;

async function open(protocol, ...events) {
  const kuzzle = new Kuzzle(protocol, { cookieAuth: true });
  const errors = [];
  for (const event of events) kuzzle.on(event, (error) => errors.push(error));
  await kuzzle.connect();
  assert.equal(await me(kuzzle), "-1");
  return { kuzzle, errors };
}

async function checks(kuzzle) {
  assert.equal(kuzzle.jwt, null);
  assert.match(jar.get("authToken"), /^kauth-/);
  assert.equal(await me(kuzzle), "ann");
  const { valid, kuid } = await kuzzle.auth.checkToken();
  assert.deepEqual([valid, kuid], [true, "ann"]);
  return jar.get("authToken");
}

// Over HTTP.
const { kuzzle: page, errors: pageErrors } = await open(new Http("127.0.0.1", { port }), "networkError", "discarded");
assert.equal(await page.auth.login("local", credentials), undefined);
const first = await checks(page);
const { jwt, ttl } = await page.auth.refreshToken({ expiresIn: "2h" });
assert.deepEqual([jwt, ttl], [undefined, 7_200_000]);
assert.notEqual(await checks(page), first);
await assert.rejects(page.auth.login("local", { ...credentials, password: "wrong" }), { status: 401 });
assert.equal(await me(page), "ann");
await page.auth.logout();
assert.equal(jar.size, 0);
assert.equal(await me(page), "-1");
page.disconnect();

// Over WebSocket, where the SDK sends these requests over HTTP and opens its socket again. It takes its own closing for a network
// error and rejects them before they are sent, so what they did is all there is to see.
const { kuzzle: live, errors: liveErrors } = await open(new WebSocket("127.0.0.1", { port }), "networkError");
async function renews(request) {
  const done = new Promise((resolve) => live.protocol.once("websocketRenewalDone", resolve));
  await assert.rejects(request(), /no response has been received/);
  await done;
}
await renews(() => live.auth.login("local", credentials));
const begun = await checks(live);
await renews(() => live.auth.refreshToken());
assert.notEqual(await checks(live), begun);
const heard = [];
await live.realtime.subscribe("i", "c", {}, (message) => heard.push(message.result._source.text));
await live.realtime.publish("i", "c", { text: "hello" });
await until("the message", () => heard.length === 1);
await renews(() => live.auth.logout());
assert.equal(jar.size, 0);
assert.equal(await me(live), "-1");
live.disconnect();

assert.deepEqual([pageErrors, liveErrors], [[], []]);
console.log(`cookies, ${site}: ok`);
process.exit(); // sockets that the SDK left open
