// Brings new mails into the list. Without it the page works, too; it is then reloaded by hand.
"use strict";

const INTERVAL_MS = 2000;
const LIVE = ["inbox", "count", "welcome"];
let etag = "";

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch(location.href, { cache: "no-store", headers: { "If-None-Match": etag } });
  if (answer.status !== 200 && answer.status !== 404) return;
  etag = answer.headers.get("ETag") ?? "";
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const focused = document.activeElement?.closest("#inbox a")?.getAttribute("href");
  for (const id of LIVE) {
    const now = document.getElementById(id);
    const next = fresh.getElementById(id);
    if (now && next && now.innerHTML !== next.innerHTML) now.innerHTML = next.innerHTML;
  }
  if (focused) document.querySelector(`#inbox a[href="${focused}"]`)?.focus({ preventScroll: true });
}

// The daemon may be restarting: the next turn tries again.
setInterval(() => refresh().catch(() => {}), INTERVAL_MS);
