// Shows what is pushed, and takes the answer without opening anything.
"use strict";

self.addEventListener("push", (event) => {
  let page = {};
  try {
    page = event.data.json();
  } catch {
    page = { title: "Tocsin", body: "Something was sent that this browser cannot read." };
  }
  event.waitUntil(
    self.registration.showNotification(page.title || "Tocsin", {
      body: page.body,
      tag: page.tag,
      renotify: Boolean(page.renotify && page.tag),
      requireInteraction: Boolean(page.require_interaction),
      actions: page.actions || [],
      icon: "icon.svg",
      data: { url: page.url, title: page.title, tag: page.tag },
    }),
  );
});

// Links lead to the server that sent them, or nowhere.
function own(url) {
  try {
    const parsed = new URL(url, self.location.href);
    return parsed.origin === self.location.origin ? parsed.href : null;
  } catch {
    return null;
  }
}

async function answer(url, action, data) {
  let text = "The server was not reached. Open Tocsin and answer there.";
  try {
    const answered = await fetch(url, { method: "POST", body: new URLSearchParams({ action }) });
    const page = await answered.text();
    const said = /<div class="said [a-z]+" role="status"><b>([^<]*)<\/b>([^<]*)<\/div>/.exec(page);
    const plain = (html) => html.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, '"').replace(/&#39;/g, "'").replace(/&amp;/g, "&");
    text = said ? `${plain(said[1])}: ${plain(said[2])}` : `The server answered ${answered.status}.`;
  } catch {
    // What stands above is shown.
  }
  await self.registration.showNotification(data.title || "Tocsin", { body: text, tag: data.tag, icon: "icon.svg", data: { url } });
}

self.addEventListener("notificationclick", (event) => {
  const { notification, action } = event;
  notification.close();
  const url = own(notification.data && notification.data.url);
  if (!url) return;
  event.waitUntil(action ? answer(url, action, notification.data) : self.clients.openWindow(url));
});
