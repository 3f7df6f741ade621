// Keeps the queue fresh, and moves through it by keys: j next, k back, Enter opens. Pages work without.

const EVERY = 15_000;
const live = document.querySelector("[data-live]");
const fresh = document.querySelector("#fresh");

const ids = (root) => [...root.querySelectorAll("[data-id]")].map((one) => one.dataset.id);

/** Whether somebody is at work in the list: then nothing in it may move. */
const inUse = () =>
  live.matches(":hover") ||
  live.contains(document.activeElement) ||
  live.querySelector(":checked, details[open]") !== null ||
  !document.getSelection().isCollapsed;

function put(next) {
  live.replaceChildren(...next.querySelector("[data-live]").childNodes);
  for (const part of [".figures", ".watching"]) {
    document.querySelector(part)?.replaceWith(next.querySelector(part));
  }
  fresh.replaceChildren();
}

function offer(next) {
  const known = new Set(ids(live));
  const count = ids(next.querySelector("[data-live]")).filter((id) => !known.has(id)).length;
  if (count === 0) return fresh.replaceChildren();
  const button = document.createElement("button");
  button.textContent = `${count} new. Show ${count === 1 ? "it" : "them"}`;
  button.addEventListener("click", () => put(next));
  fresh.replaceChildren(button);
}

/** An old page must not look like a quiet day. */
function stale() {
  const words = document.createElement("p");
  words.textContent = `The desk does not answer. What stands here is as it was on ${fresh.dataset.since}.`;
  fresh.replaceChildren(words);
}

async function refresh() {
  if (document.hidden) return;
  // The header says that nobody asked for this by hand: it does not keep a session alive.
  const answer = await fetch(location.pathname, { headers: { "X-Refresh": "1" } });
  if (answer.status === 403) location.reload(); // locked meanwhile
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  fresh.dataset.since = next.querySelector("#fresh").dataset.since;
  if (inUse()) offer(next);
  else put(next);
}

function step(by) {
  const links = [...live.querySelectorAll("[data-id] a[href^='/cases/']")];
  const here = links.indexOf(document.activeElement);
  const next = links[here === -1 && by < 0 ? links.length - 1 : here + by];
  next?.focus();
  next?.closest("[data-id]").scrollIntoView({ block: "nearest" });
}

if (live !== null) {
  setInterval(() => refresh().catch(stale), EVERY);
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input:not([type=checkbox]), select, textarea");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
  });
}
