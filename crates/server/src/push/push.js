// Subscribes this browser, so that pages reach it, and ends that again.
"use strict";
const root = document.querySelector("main");
const { key, person, prefix } = root.dataset;
const state = document.getElementById("state");
const begin = document.getElementById("begin");
const end = document.getElementById("end");
const test = document.getElementById("test");
const NAME = "tocsin-method";

function say(text, isBad) {
  state.textContent = text;
  state.className = isBad ? "bad" : "";
}

function show(isOn) {
  begin.hidden = isOn;
  end.hidden = test.hidden = !isOn;
}

async function ask(method, path, body) {
  const answer = await fetch(`${prefix}/api/v1/people/${encodeURIComponent(person)}/contacts/${path}`, {
    method,
    headers: body ? { "content-type": "application/json" } : {},
    body: body && JSON.stringify(body),
  });
  if (answer.ok) return;
  const problem = await answer.json().catch(() => ({}));
  const fields = (problem.errors || []).map((error) => error.detail).join("; ");
  throw new Error(fields || problem.detail || `the server answered ${answer.status}`);
}

function bytes(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

// The name of the method stays the same in this browser, so that subscribing again replaces it.
function method() {
  let name = localStorage.getItem(NAME);
  if (!name) {
    const random = crypto.getRandomValues(new Uint8Array(4));
    name = `browser-${Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
    localStorage.setItem(NAME, name);
  }
  return name;
}

function isOurs(subscription) {
  const theirs = subscription.options.applicationServerKey;
  return theirs && String(new Uint8Array(theirs)) === String(bytes(key));
}

async function subscription() {
  const registration = await navigator.serviceWorker.getRegistration(`${prefix}/push/`);
  return registration && (await registration.pushManager.getSubscription());
}

async function subscribe() {
  if ((await Notification.requestPermission()) !== "granted") {
    throw new Error("this browser does not allow notifications of this site; its settings say so");
  }
  const registration = await navigator.serviceWorker.register(`${prefix}/push/worker.js`, { scope: `${prefix}/push/` });
  const old = await registration.pushManager.getSubscription();
  // One made for another key would never be heard.
  if (old && !isOurs(old)) await old.unsubscribe();
  const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
  await ask("PUT", method(), { channel: "web_push", address: JSON.stringify(made) });
}

async function unsubscribe() {
  await ask("DELETE", method());
  const made = await subscription();
  if (made) await made.unsubscribe();
}

function on(button, doing, work, done, isOn) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    say(doing);
    try {
      await work();
      say(done);
      if (isOn !== undefined) show(isOn);
    } catch (error) {
      say(`That did not work: ${error.message}`, true);
    }
    button.disabled = false;
  });
}

async function look() {
  if (!window.isSecureContext) return say("Browsers take notifications over https only (or from localhost).", true);
  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) {
    return say("This browser cannot be notified. On an iPhone, add this page to the home screen first and open it there.", true);
  }
  const made = await subscription();
  const isOn = Boolean(made && isOurs(made));
  say(isOn ? "This browser is notified." : "This browser is not notified yet.");
  show(isOn);
}

on(begin, "Asking the browser…", subscribe, "This browser is notified from now on.", true);
on(end, "Ending it…", unsubscribe, "This browser is not notified any more.", false);
on(test, "Sending…", () => ask("POST", `${method()}/test`), "A test is on its way; it should be here in a few seconds.");
look().catch((error) => say(`That did not work: ${error.message}`, true));
