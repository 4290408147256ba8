// What an EventSource does against a node when its connection breaks. Run by sse_test.go, which names the port:
//   node sse.mjs PORT
import assert from "node:assert/strict";
import net from "node:net";
import { EventSource } from "eventsource";

const port = Number(process.argv[2]);

// A proxy whose connections can be broken.
const sockets = new Set();
const proxy = net.createServer((client) => {
  const node = net.connect(port, "127.0.0.1");
  for (const [from, to] of [[client, node], [node, client]]) {
    sockets.add(from);
    from.pipe(to);
    from.on("error", () => {});
    from.on("close", () => { sockets.delete(from); to.destroy(); });
  }
});
await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
const breakAll = () => sockets.forEach((socket) => socket.destroy());

async function post(path, body) {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  assert.equal(answer.status, 200, await answer.text());
}
const publish = (number) => post("/i/c/_publish", { number });

const address = `http://127.0.0.1:${proxy.address().port}/_sse?index=i&collection=c&filter=${encodeURIComponent('{"exists":"number"}')}`;
const source = new EventSource(address);
const numbers = [], begun = [];
source.addEventListener("gap", () => assert.fail("a gap"));
source.addEventListener("subscribed", (event) => begun.push(JSON.parse(event.data).result));
source.addEventListener("message", (event) => numbers.push(JSON.parse(event.data).result._source.number));

async function until(what, holds) {
  for (const end = Date.now() + 20_000; !holds(); await new Promise((resolve) => setTimeout(resolve, 5))) {
    assert.ok(Date.now() < end, `${what}: begun ${JSON.stringify(begun)}, numbers ${numbers}`);
  }
}

await until("the stream begins", () => begun.length === 1);
let sent = 0;
for (let breaks = 1; breaks <= 3; breaks++) {
  for (const end = sent + 10; sent < end; sent++) await publish(sent);
  breakAll(); // some of them may be on their way
  for (const end = sent + 10; sent < end; sent++) await publish(sent);
  await until("it comes back", () => begun.length === breaks + 1);
  assert.equal(begun[breaks].resumed, true);
}
await publish(sent++);
await until("all messages", () => numbers.length >= sent);
assert.deepEqual(numbers, [...Array(sent).keys()]);
source.close();

// A refusal is final: the page has to ask again, with another token.
const refused = new EventSource(`${address}&jwt=wrong`);
const error = await new Promise((resolve) => refused.addEventListener("error", resolve));
assert.equal(error.code, 401);
assert.equal(refused.readyState, EventSource.CLOSED);

breakAll();
proxy.close();
console.log("EventSource: ok");
