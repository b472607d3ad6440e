// Shows what arrived, newest first, and sends what is pressed. Texts are never read as HTML.
"use strict";
const $ = (id) => document.getElementById(id);
let number = "+4915112345678";

function element(tag, text, className) {
  const it = document.createElement(tag);
  if (text) it.textContent = text;
  if (className) it.className = className;
  return it;
}

async function post(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const trouble = $("trouble");
  trouble.hidden = answer.ok;
  if (!answer.ok) trouble.textContent = await answer.text();
}

function buttons(entry) {
  const row = element("div", "", entry.kind === "call" ? "buttons keys" : "buttons");
  for (const button of entry.buttons) {
    let it;
    if (button.is_link && /^https?:/.test(button.value)) {
      it = element("a", button.label);
      it.href = button.value;
      it.target = "_blank";
      it.rel = "noreferrer";
    } else {
      it = element("button", button.label);
      it.type = "button";
      it.addEventListener("click", () => post("press", { entry: entry.number, value: button.value }));
    }
    row.append(it);
  }
  return row;
}

function card(entry) {
  const classes = [entry.kind];
  if (entry.state === "reply") classes.push("reply");
  if (entry.thread) classes.push("thread");
  const it = element("article", "", classes.join(" "));
  if (/^#[0-9a-f]{6}$/i.test(entry.colour)) it.style.setProperty("--accent", entry.colour);
  const meta = element("div", "", "meta");
  meta.append(element("span", `${entry.provider} · ${entry.to}`));
  const changed = entry.changes && entry.kind !== "call" ? `changed ${entry.changes}×` : "";
  meta.append(element("span", [entry.state, changed].filter(Boolean).join(" · ")));
  it.append(meta);
  if (entry.title) it.append(element("b", entry.title));
  if (entry.text) it.append(element("p", entry.text));
  if (entry.buttons.length) it.append(buttons(entry));
  return it;
}

async function show() {
  const entries = await (await fetch("entries")).json();
  const place = { sms: "phone", call: "phone", push: "phone", mail: "inbox", chat: "chat", event: "event" };
  const lists = { phone: [], inbox: [], chat: [], event: [] };
  for (const entry of entries) {
    lists[place[entry.kind]].push(card(entry));
    if (entry.kind === "sms" && entry.state !== "reply") number = entry.to;
  }
  for (const [name, cards] of Object.entries(lists)) {
    if (name !== "phone") cards.reverse();
    $(name).replaceChildren(...(cards.length ? cards : [element("p", "Nothing yet.", "empty")]));
  }
  $("phone").scrollTop = $("phone").scrollHeight;
}

$("type").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  $("text").value = "";
  await post("reply", { from: number, text });
});

new EventSource("events").addEventListener("message", show);
show();
