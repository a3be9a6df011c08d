/** Notification channels by clicking: added, tried, told about a failing build, what its receiver says shown, deleted. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { addClone, addRepository, addRule, build } from "./stand/prepare.mjs";
import { eventually } from "./stand/processes.mjs";
import { Product } from "./stand/product.mjs";
import { Clone, dockerfile, LABEL, removeOwnImages } from "./stand/surroundings.mjs";
import { closeBrowser, withWindow } from "./stand/window.mjs";

const KEY = "0123456789-robot-key";
const calls = [];
/** What the group's robot answers next; it takes everything else. It answers 200 whatever it means, as the real one. */
const answers = [];
const robot = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const { method, url, headers } = request;
    calls.push({ method, url, key: headers["idempotency-key"], body: JSON.parse(Buffer.concat(chunks).toString("utf8")) });
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(answers.shift() ?? { errcode: 0, errmsg: "ok" }));
  });
});

let product;
let address;
let rule;
before(async () => {
  await new Promise((resolve) => robot.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${robot.address().port}/cgi-bin/webhook/send?key=${KEY}`;
  product = await Product.start({ keychain: true });
  const clone = await Clone.make("channels", { Dockerfile: dockerfile(`RUN : ${LABEL} && exit 3\n`) });
  await clone.commit("@all <@everybody> look [here](http://example.com)", { "index.html": "hello\n" });
  const code = await addClone(product, clone);
  rule = await addRule(product, await addRepository(product, "channels/site"), code, { triggers: {} });
});
after(async () => {
  await closeBrowser();
  await product?.stop();
  await new Promise((resolve) => robot.close(resolve));
  await removeOwnImages();
});

test("a channel is added and tried, and what its receiver says is shown", async () => {
  await withWindow(product, { name: "channels-add", path: "/settings" }, async (window) => {
    await window.button("channels.add").click();
    await window.button("common.save", {}, window.dialog).click();
    await window.see(window.text("common.required", {}, window.dialog).first());
    await window.field("channels.name", {}, window.dialog).fill("team");
    await window.field("channels.address", {}, window.dialog).fill(address);
    // An address in a private network waits for a person's consent.
    await window.button("common.save", {}, window.dialog).click();
    await window.see(window.dialog.getByText("a public one begins with https://"));
    assert.deepEqual(calls, []);
    await window.turn(window.dialog.getByRole("checkbox", { name: window.t("channels.allow_private") }), true);

    answers.push({ errcode: 93000, errmsg: `invalid webhook url ${KEY}` });
    await window.button("channels.test", {}, window.dialog).click();
    await window.see(window.text("failure.channel_refused.what", {}, window.dialog));
    assert.equal((await window.dialog.innerText()).includes(KEY), false, "an answer that repeats the key is masked");
    await window.button("channels.test", {}, window.dialog).click();
    await window.see(window.dialog.getByText(window.t("channels.test_sent")));
    await window.see(window.dialog.getByText('{"errcode":0,"errmsg":"ok"}', { exact: false }));
    assert.equal(calls.length, 2);
    assert.match(calls[1].body.markdown.content, /^\*\*Slipway · Test message\*\*/);

    await window.button("common.save", {}, window.dialog).click();
    await window.dialogGone();
    await window.see(window.row("team").getByText(window.t("channels.never")));
    await window.see(window.row("team").getByText(/^127\.0\.0\.1:\d+\/…$/));
    assert.equal((await window.page.content()).includes(KEY), false);
  });
});

test("a failing build is told, tried again when the robot is busy, without any mention of a hostile title", async () => {
  calls.length = 0;
  // Busy for as long as the console needs to say so.
  answers.push(...Array.from({ length: 9 }, () => ({ errcode: 45009, errmsg: "api freq out of limit" })));
  await withWindow(product, { name: "channels-told", path: "/settings" }, async (window) => {
    assert.equal((await build(product, rule)).state, "failed");
    await window.see(window.row("team").getByText(window.t("channels.waits", { count: 1 })));
    await window.see(window.text("failure.channel_busy.what"));
    answers.length = 0;
    await window.see(window.row("team").getByText(window.t("channels.sent")), 60_000);
    const [first] = calls;
    assert.ok(calls.length >= 2, "it was told again");
    for (const again of calls) assert.deepEqual(again, first, "the same message with the same key");
    assert.deepEqual([first.method, first.url, first.body.msgtype], ["POST", `/cgi-bin/webhook/send?key=${KEY}`, "markdown"]);
    const { content } = first.body.markdown;
    assert.match(content, /^\*\*Slipway · Build failed: channels\/site #1\*\*\n/);
    assert.match(content, /＠all ＜＠everybody＞ look ［here］\(http:\/\/example\.com\)/);
    assert.doesNotMatch(content, /[@<[]/);
  });
});

test("a channel is changed without typing its address again, switched off and deleted", async () => {
  calls.length = 0;
  await withWindow(product, { name: "channels-edit", path: "/settings" }, async (window) => {
    await window.pick("team", "common.edit");
    assert.equal(await window.field("channels.address", {}, window.dialog).inputValue(), "");
    await window.field("channels.name", {}, window.dialog).fill("everybody");
    await window.button("common.save", {}, window.dialog).click();
    await window.dialogGone();
    await window.pick("everybody", "channels.test");
    await window.see(window.text("channels.test_sent"));
    assert.equal(calls.length, 1);

    await window.turn(window.page.getByRole("switch", { name: window.t("channels.switch", { name: "everybody" }) }), false);
    await window.see(window.row("everybody").getByText(window.t("channels.off")));
    assert.equal((await build(product, rule)).state, "failed");
    assert.equal(calls.length, 1);

    await window.pick("everybody", "common.delete");
    await window.button("common.delete", {}, window.dialog).click();
    await window.dialogGone();
    await window.see(window.page.getByText(window.t("channels.empty"), { exact: false }));
  });
  assert.deepEqual(await product.call("channels.list"), []);
});
